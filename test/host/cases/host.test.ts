import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host, usualConfiguration } from "../host.ts";
import { quiet } from "../library/at-rest.ts";
import { withoutPieces } from "../library/without-pieces.ts";
import { Witnesses } from "../library/witnesses.ts";
import { until } from "../machine/processes.ts";

/** Without pieces of ours, which would make a swarm too. */
const bare = withoutPieces(usualConfiguration());

/** Makes two calls, and freezes before the one that it is told. */
const steps = `{ pkgs, lib, ... }: {
  systemd.services.steps.serviceConfig = {
    Type = "oneshot";
    ExecStart = ''\${lib.getExe pkgs.bash} -c 'for n in 1 2; do [ "$CC_CI_STOP_AT" != "steps:$n:before" ] || kill -STOP $$$$; echo "call $n"; done' '';
  };
}`;

/** Docker makes a network of its own some time after the swarm. */
async function makeSwarm(host: Host): Promise<void> {
  await host.exec(["docker", "swarm", "init", "--advertise-addr=127.0.0.1"]);
  await until("the ingress network", 30, async () =>
    "networks ingress" in (await host.docker.versions()) ? true : undefined,
  );
}

describe("a host", { timeout: 600_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("runs every unit with the text that NixOS would give it", async () => {
    await using host = await bootHost({ configuration: bare });
    for (const [name, { text }] of Object.entries(host.system.units)) {
      if (!name.startsWith("cc-ci")) continue;
      expect(host.read(`/etc/systemd/system/${name}`)).toBe(text);
    }
    const { stdout } = await host.exec(["systemctl", "show", "cc-ci-traefik", "-p", "LoadState"]);
    expect(stdout).toBe("LoadState=loaded\n");
  });

  test("says what was changed in its Docker, and what was only looked at", async () => {
    await using host = await bootHost({ configuration: bare });
    await makeSwarm(host);
    // The engine makes networks of its own a moment later.
    await quiet(host);
    const since = Date.now();
    const before = await host.docker.versions();
    await host.exec(["docker", "node", "ls"]);
    expect(await host.docker.events(since)).toEqual([]);
    await host.exec(["docker", "volume", "create", "made"]);
    await host.exec(["docker", "secret", "create", "made", "-"], { input: "a secret" });
    expect(await host.docker.events(since)).toEqual(["volume create made", "secret create made"]);
    const after = await host.docker.versions();
    const fresh = Object.keys(after).filter((key) => !(key in before));
    expect(fresh).toEqual(["secrets made", "volumes made"]);
  });

  test("has witnesses that notice when they are touched", async () => {
    await using host = await bootHost({ configuration: bare });
    await makeSwarm(host);
    const witnesses = await Witnesses.put(host);
    expect(await witnesses.touched()).toEqual([]);
    await host.exec(["docker", "service", "update", "--detach", "--force", "witness"]);
    host.write("/root/.abra/servers/default/witness.example.org.env", "");
    expect(await witnesses.touched()).toEqual(
      expect.arrayContaining(["services witness", expect.stringMatching(/^\/root\/.*env$/)]),
    );
  });

  test("has a folder whose disk is full, until it is relieved", async () => {
    await using host = await bootHost({ configuration: bare });
    host.write("/var/lib/cc-ci/kept", "kept");
    const relieve = await host.faults.fullDisk("/var/lib/cc-ci");
    const write = ["sh", "-c", "head -c 100000 /dev/zero >/var/lib/cc-ci/new"];
    const { exitCode, stderr } = await host.exec(write, { mayFail: true });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("No space left on device")]);
    expect((await host.exec(["cat", "/var/lib/cc-ci/kept"])).stdout).toBe("kept");
    await relieve();
    await host.exec(write);
  });

  test("freezes a unit at a call, to be killed there", async () => {
    const configuration = { ...bare, modules: [...bare.modules, steps] };
    await using host = await bootHost({ configuration });
    await host.faults.stopAt("steps.service", 2, "before");
    await host.exec(["systemctl", "start", "--no-block", "steps"]);
    expect(await host.faults.waitUntilStopped("steps.service")).toBe(true);
    expect(await host.journal("steps")).toMatch(/^call 1$/m);
    await host.faults.killUnit("steps.service");
    expect(await host.faults.waitUntilStopped("steps.service")).toBe(false);
    expect((await host.unit("steps.service")).result).toBe("signal");
    await host.faults.stopNowhere();
    expect((await host.start("steps")).result).toBe("success");
  });

  test("settles once its units have ended, after a reboot and a power cut too", async () => {
    await using host = await bootHost();
    for (const again of ["reboot", "powerCut"] as const) {
      await host[again]();
      await host.settle();
      const services = Object.keys(host.system.units).filter((name) => /^cc-ci.*e$/.test(name));
      expect(services.length).toBeGreaterThan(4);
      for (const name of services) {
        expect((await host.unit(name)).state, name).toMatch(/^(?:inactive|failed)$/);
      }
    }
  });
});
