import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { repositoryUrl } from "../git-server/install.ts";
import { bootHost, certificateFolder, type Host, usualConfiguration } from "../host.ts";
import { everything, planOf, runAll, statusOf } from "../library/as-planned.ts";
import { freezeAt, goOn } from "../library/frozen.ts";
import { withoutPieces } from "../library/without-pieces.ts";
import type { ExecResult } from "../machine/machine.ts";
import { until } from "../machine/processes.ts";

const unit = "cc-ci-traefik.service";
const abraFolder = "/var/lib/cc-ci/abra/traefik.ci.example.org";
const envFile = `${abraFolder}/servers/default/traefik.ci.example.org.env`;
const checkout = `${abraFolder}/recipes/traefik`;

/** Nothing runs before somebody asks for it. */
const configuration = withoutPieces(usualConfiguration());

const hookMilliseconds = 1_800_000;
const anybody = ["DynamicUser=yes"];

describe("converge", { timeout: 600_000 }, () => {
  let host: Host;

  beforeEach(async (context) => {
    requireHosts(context);
    host ??= await bootHost({ configuration });
  }, hookMilliseconds);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
  }, hookMilliseconds);

  /** What the table and the JSON say of Traefik is the same. */
  async function expectState(state: string, id: string | null): Promise<void> {
    const { exitCode, stdout } = await host.converge("status", "traefik");
    expect(exitCode).toBe(state === "converged" ? 0 : 1);
    expect(stdout).toMatch(new RegExp(`^traefik +${state}  `, "m"));
    if (id !== null) expect(stdout).toContain(`[${id}]`);
    const { traefik } = await statusOf(host);
    expect([traefik?.state, traefik?.line?.id ?? null]).toEqual([state, id]);
    expect(traefik?.since === null).toBe(state === "never run");
  }

  async function expectConverged(): Promise<void> {
    for (const { state } of Object.values(await runAll(host))) expect(state).toBe("converged");
  }

  async function refusal(command: readonly string[]): Promise<ExecResult> {
    return await host.machine.runInUnit(command, anybody, { mayFail: true });
  }

  test("says of pieces that never ran that they did not", async () => {
    await expectState("never run", null);
  });

  test("says of a converged host that it is as it should be", async () => {
    await host.exec(["systemctl", "start", "cc-ci.target"], { timeoutSeconds: 300 });
    await host.settle();
    await expectState("converged", null);
    const { exitCode, stdout } = await host.converge("plan");
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("as it should be")]);
  });

  test("runs once for all who ask while it runs, and each waits for the end", async () => {
    await host.exec(["rm", envFile]);
    const since = Date.now();
    const start = (...names: readonly string[]) =>
      host.exec(["systemctl", "start", ...names], { timeoutSeconds: 300, mayFail: true });
    const ended: number[] = [];
    const asked: Promise<unknown>[] = [];
    const ask = (name: string): void => {
      asked.push(start(name).then(({ exitCode }) => ended.push(exitCode)));
    };
    await freezeAt(host, unit, { call: 1, when: "before" }, () => ask(unit));
    const { invocation } = await host.unit(unit);
    // a person, another one, the timer, a switch, and the path unit
    for (const name of [unit, unit, "cc-ci-reconcile.service", "cc-ci.target"]) ask(name);
    await host.exec(["touch", `${certificateFolder}/fullchain.pem`]);
    await sleep(2000);
    expect((await planOf(host)).traefik?.calls).toContain(`env write ${envFile}`);
    await expectState("running", null);
    // A target is there at once when it was there before.
    expect(ended.filter((exitCode) => exitCode !== 0)).toEqual([]);
    expect(ended.length).toBeLessThanOrEqual(1);
    await goOn(host, unit);
    await Promise.all(asked);
    expect(ended).toEqual([0, 0, 0, 0, 0]);
    await host.settle();
    expect((await host.unit(unit)).invocation).toBe(invocation);
    expect((await host.journal(unit, since)).match(/^Starting /gm)).toHaveLength(1);
    await expectState("converged", null);
  });

  test("is started by a changed file, and who asks meanwhile joins that run", async () => {
    const since = Date.now();
    const pair = host.authority.pair();
    // given: the path unit alone has started it
    await freezeAt(host, unit, { call: 1, when: "before" }, () => host.putCertificate(pair));
    const { invocation } = await host.unit(unit);
    // when
    const asked = ["cc-ci-reconcile.service", unit].map((name) =>
      host.exec(["systemctl", "start", name], { timeoutSeconds: 300 }),
    );
    await sleep(1000);
    await goOn(host, unit);
    await Promise.all(asked);
    await host.settle();
    // then
    expect((await host.unit(unit)).invocation).toBe(invocation);
    expect((await host.journal(unit, since)).match(/^Starting /gm)).toHaveLength(1);
    await expectState("converged", null);
  });

  test("is started by the timer, which nobody helps", async () => {
    // given: the host's own timer, that ticks sooner
    const folder = "/run/systemd/system/cc-ci-reconcile.timer.d";
    const often = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=100ms\n";
    await host.exec(["rm", envFile]);
    await host.exec(["sh", "-c", `mkdir -p ${folder}; cat >${folder}/often.conf`], {
      input: often,
    });
    await host.exec(["systemctl", "daemon-reload"]);
    // when
    await host.exec(["systemctl", "start", "cc-ci-reconcile.timer"]);
    // then
    await until("the .env again", 60, async () =>
      (await host.exec(["test", "-e", envFile], { mayFail: true })).exitCode === 0
        ? true
        : undefined,
    );
    await host.exec(["sh", "-c", `systemctl stop cc-ci-reconcile.timer; rm -r ${folder}`]);
    await host.exec(["systemctl", "daemon-reload"]);
    await host.settle();
    await expectConverged();
  });

  test("applies nothing outside of its unit, whoever asks", async () => {
    const list = ["jq", "--raw-output", '.pieces[] | select(.name == "traefik").file'];
    const file = (await host.exec([...list, "/etc/cc-ci/pieces.json"])).stdout.trim();
    const before = await everything(host);
    const apply = ["converge", "apply", file];
    const byHand = await host.converge("apply", file);
    const inAnother = await host.machine.runInUnit(apply, [], { mayFail: true });
    for (const { exitCode, stderr } of [byHand, inAnother, await refusal(apply)]) {
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`[outside-its-unit]`);
      expect(stderr).toContain(`systemctl start ${unit}`);
    }
    expect(await everything(host)).toEqual(before);
  });

  test("leaves everybody but root without Docker, the units and the host files", async () => {
    const commands = [
      ["docker", "service", "ls"],
      ["systemctl", "start", unit],
      ["cat", `${certificateFolder}/privkey.pem`],
      ["ls", "/var/lib/cc-ci/state/traefik"],
    ];
    for (const command of commands) expect((await refusal(command)).exitCode).not.toBe(0);
    for (const command of ["plan", "status"]) {
      const { exitCode, stderr } = await refusal(["converge", command]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("[not-root]")]);
    }
  });

  test("says what failed, for as long as it does", async () => {
    host.putCertificate(host.authority.expired());
    await host.start(unit);
    await expectState("failed", "certificate-expired");
    host.putCertificate(host.authority.pair());
    await host.start(unit);
    await host.settle();
    await expectState("converged", null);
  });

  test("says what a person must decide", async () => {
    await host.exec(["mkdir", "/var/lib/ci-certs/.git"]);
    expect(await host.start(unit)).toMatchObject({ state: "failed", exitStatus: 2 });
    await expectState("refused", "host-file-in-git");
    expect((await host.converge("plan")).exitCode).toBe(2);
    await host.exec(["rmdir", "/var/lib/ci-certs/.git"]);
    await expectConverged();
  });

  test("says what it waits for that is outside of the host", async () => {
    await host.exec(["systemctl", "stop", "test-git-server"]);
    await host.exec(["rm", "-r", checkout]);
    expect(await host.start(unit)).toMatchObject({ state: "inactive", exitStatus: 75 });
    await expectState("pending", "recipe-unreachable");
    await host.exec(["systemctl", "start", "test-git-server"]);
    const ask = ["git", "ls-remote", "--quiet", repositoryUrl("traefik")];
    await until("the git server", 60, async () =>
      (await host.exec(ask, { mayFail: true })).exitCode === 0 ? true : undefined,
    );
    await expectConverged();
  });

  test("says that a run was interrupted", async () => {
    await host.exec(["rm", envFile]);
    await freezeAt(host, unit, { call: 1, when: "before" }, async () => {
      await host.exec(["systemctl", "start", "--no-block", unit]);
    });
    await host.faults.killUnit(unit);
    await host.settle();
    await expectState("interrupted", "run-cut-short");
    await expectConverged();
  });

  test.each(["traefik", "traefik.ci.example.org"])("calls abra for the app %s", async (app) => {
    const script =
      '#!/bin/sh\necho "$ABRA_DIR $HOME $PWD $*"\n[ "$1" != die ] || kill -9 $$\nexit 23\n';
    host.write("/root/fake/abra", script, 0o755);
    const env = { PATH: "/root/fake:/usr/local/bin:/usr/bin:/bin" };
    const call = (...args: readonly string[]) =>
      host.exec(["converge", "abra", app, ...args], { env, mayFail: true });
    const { exitCode, stdout } = await call("app", "ls", "--all");
    expect([exitCode, stdout]).toEqual([23, `${abraFolder} ${abraFolder} / app ls --all\n`]);
    expect((await call("die")).exitCode).toBe(137);
  });

  test("calls abra for an app of this host alone", async () => {
    const { exitCode, stderr } = await host.converge("abra", "wiki", "--version");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("[no-such-app]")]);
    expect(stderr).toContain("there are traefik.ci.example.org");
    expect((await host.converge("abra", "traefik", "--version")).stdout).toContain("stand-in");
  });

  test.each([
    [[]],
    [["nonsense"]],
    [["plan", "swarm", "traefik"]],
    [["status", "--nonsense"]],
    [["apply"]],
    [["apply", "/file", "--slot", "no pair"]],
    [["abra"]],
  ])("says how it is used instead of guessing: %j", async (args) => {
    const { exitCode, stderr } = await host.converge(...args);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining("converge status [piece]")]);
  });

  test.each(["plan", "status"])(
    "names the pieces that there are, for %s of another",
    async (command) => {
      const { exitCode, stderr } = await host.converge(command, "nonsense");
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("[no-such-piece]")]);
      expect(stderr).toContain("there are swarm, retire, network-proxy, traefik");
    },
  );
});
