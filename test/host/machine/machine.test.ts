import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { pathOf, requireHosts } from "../../tools.ts";
import { images } from "../images/index.ts";
import { hostImages } from "./docker-data.ts";
import { Machine } from "./machine.ts";
import { mounts } from "./mounts.ts";
import { startOf, until } from "./processes.ts";
import { hostRoot } from "./root.ts";
import { type Purpose, removeLeftovers } from "./throwaway.ts";

async function booted(purpose: Purpose = "case"): Promise<Machine> {
  const options = { root: pathOf(hostRoot), docker: pathOf(hostImages), purpose };
  const machine = await Machine.make(options);
  await machine.boot();
  return machine;
}

const startDocker = ["systemctl", "start", "docker.service"];

/** What of a machine can be found on this one, by its folder. */
function tracesOf(folder: string): readonly string[] {
  const name = folder.split("/").at(-1) ?? "";
  const cgroups = ["", "systemd", "unified", "memory", "cpu"].map((each) =>
    join("/sys/fs/cgroup", each, name),
  );
  const processes = readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
  return [
    ...[folder, ...cgroups].filter((path) => existsSync(path)),
    ...mounts()
      .map(({ path }) => path)
      .filter((path) => path.startsWith(folder)),
    ...processes,
  ];
}

describe("a machine", { timeout: 600_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("has Docker with every image, and no swarm", async () => {
    const started = performance.now();
    await using machine = await booted();
    await machine.exec(startDocker);
    console.log(`up with Docker in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const format = ["--format", "{{.Repository}}:{{.Tag}}"];
    const { stdout } = await machine.exec(["docker", "images", ...format]);
    expect(stdout.trim().split("\n").sort()).toEqual(images.map((each) => each.reference).sort());
    const state = ["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"];
    expect((await machine.exec(state)).stdout).toBe("inactive\n");
  });

  test("keeps files, volumes and its swarm through a reboot and a power cut", async () => {
    await using machine = await booted();
    await machine.exec(startDocker);
    await machine.exec(["docker", "swarm", "init", "--advertise-addr=127.0.0.1"]);
    await machine.exec(["docker", "volume", "create", "kept"]);
    for (const again of ["reboot", "powerCut"] as const) {
      writeFileSync(join(machine.root, "srv", again), "");
      await machine[again]();
      if (again === "powerCut") await machine.boot();
      await machine.exec(startDocker);
      expect((await machine.exec(["ls", "/srv"])).stdout).toContain(again);
      expect((await machine.exec(["docker", "volume", "ls", "-q"])).stdout).toBe("kept\n");
      await machine.exec(["docker", "node", "ls"]);
    }
  });

  test("runs no unit of its own that fails", async () => {
    await using machine = await booted();
    await machine.exec(["systemctl", "is-system-running", "--wait"]);
    expect((await machine.exec(["systemctl", "--failed", "--quiet"])).stdout).toBe("");
  });

  test("hands over input, output, environment and exit status", async () => {
    await using machine = await booted();
    const script = 'cat; echo "$GREETING" >&2; exit 3';
    const options = { input: "in", env: { GREETING: "hello" }, mayFail: true };
    const result = await machine.exec(["sh", "-c", script], options);
    expect(result).toEqual({ exitCode: 3, stdout: "in", stderr: "hello\n" });
    await expect(machine.exec(["false"])).rejects.toThrow("'false' in the machine: exit 1");
  });

  test("ends what takes too long, its children too", async () => {
    await using machine = await booted();
    const command = ["sh", "-c", "sleep 1234 & wait"];
    const result = await machine.exec(command, { timeoutSeconds: 1, mayFail: true });
    expect(result.exitCode).toBe(137);
    expect((await machine.exec(["ps", "-A", "-o", "args="])).stdout).not.toContain("sleep 1234");
  });

  test("has no right to set the clock, in a unit and outside", async () => {
    await using machine = await booted();
    const read = ["grep", "CapBnd", "/proc/self/status"];
    const bit = 1n << 25n; // CAP_SYS_TIME, capability.h
    for (const { stdout } of [await machine.exec(read), await machine.runInUnit(read)]) {
      expect(BigInt(`0x${stdout.trim().split("\t")[1]}`) & bit).toBe(0n);
    }
  });

  test("runs a program with the rights of a unit", async () => {
    await using machine = await booted();
    const properties = ["DynamicUser=yes", "SupplementaryGroups=docker"];
    const { stdout } = await machine.runInUnit(["id"], properties);
    expect(stdout).toMatch(/uid=6\d+.*\(docker\)/);
  });

  test("sees no network but its loopback", async () => {
    await using machine = await booted();
    const { stdout } = await machine.exec(["ls", "/sys/class/net"]);
    expect(stdout).toMatch(/^lo\n/);
    expect(stdout).not.toContain("eth");
    expect((await machine.exec(["ip", "route"])).stdout).toBe("");
  });

  test("shares nothing with another one", async () => {
    await using one = await booted();
    // A case takes one place: cases that hold one and wait for another would wait for each other.
    await using other = await booted("setup");
    for (const machine of [one, other]) {
      await machine.exec(startDocker);
      await machine.exec(["docker", "swarm", "init", "--advertise-addr=127.0.0.1"]);
      await machine.exec(["docker", "volume", "create", machine === one ? "one" : "other"]);
    }
    expect((await one.exec(["docker", "volume", "ls", "-q"])).stdout).toBe("one\n");
    expect((await other.exec(["docker", "volume", "ls", "-q"])).stdout).toBe("other\n");
  });

  test("leaves nothing behind when it is removed, and when its case throws", async () => {
    let folder = "";
    const failing = async (): Promise<void> => {
      await using machine = await booted();
      await machine.exec(startDocker);
      folder = machine.folder;
      expect(tracesOf(folder).length).toBeGreaterThan(2);
      throw new Error("a failed case");
    };
    await expect(failing()).rejects.toThrow("a failed case");
    expect(tracesOf(folder)).toEqual([]);
  });

  test("of one runner stays when another runner is killed, and its traces are removed", async () => {
    const [one, other] = [await runner(), await runner()];
    one.process.kill("SIGKILL");
    await one.exited;
    await until("the machine's end", 120, () =>
      startOf(one.leader) === undefined ? true : undefined,
    );
    await removeLeftovers();
    expect(tracesOf(one.folder)).toEqual([]);
    expect(startOf(other.leader)).toBeDefined();
    other.process.kill("SIGKILL");
    await other.exited;
    await until("the other's end", 120, () =>
      startOf(other.leader) === undefined ? true : undefined,
    );
    await removeLeftovers();
    expect(tracesOf(other.folder)).toEqual([]);
  });

  test.for(["SIGKILL", "SIGINT"] as const)(
    "ends with a runner that gets %s; the next run removes it",
    async (signal) => {
      const { process: killed, exited, folder, leader } = await runner();
      killed.kill(signal);
      await exited;
      await until("the machine's end", 120, () =>
        startOf(leader) === undefined ? true : undefined,
      );
      // Any later boot does this too.
      await removeLeftovers();
      expect(tracesOf(folder)).toEqual([]);
    },
  );
});

/** Another process that has a machine. */
async function runner() {
  const program = join(import.meta.dirname, "runner-to-kill.ts");
  const child = spawn(process.execPath, [program, pathOf(hostRoot), pathOf(hostImages)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { folder, leader } = JSON.parse(String(line)) as { folder: string; leader: number };
  return { process: child, exited, folder, leader };
}
