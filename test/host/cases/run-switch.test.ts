import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { runnerUnit, runPlaces } from "../../../services/lib/run.ts";
import { usualConfiguration } from "../host.ts";
import { idleHost } from "../library/idle-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { type BuildEnd, requestFor, TestRuns, withRuns } from "../library/test-runs.ts";
import { withoutPieces } from "../library/without-pieces.ts";
import { withoutTimer } from "../library/without-timer.ts";
import { until } from "../machine/processes.ts";
import { installStore } from "../system/install.ts";
import { showUnits } from "../system/switch.ts";
import { buildSystem } from "../system/system.ts";

const scenes = {
  slow: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] },
  short: { acts: [{ say: "begun" }, { sleepSeconds: 3 }] },
};

describe("places for test runs", () => {
  const shared = sharedHost(idleHost(withRuns()), async (host) =>
    new TestRuns(host).script(scenes),
  );
  const runs = () => new TestRuns(shared());

  test("are as many as there may be runs, and who finds none waits", async () => {
    const builds = Array.from({ length: 5 }, () => runs().start(requestFor("short")));
    const all = Promise.all(builds.map(({ end }) => end));
    let most = 0;
    let isOver = false;
    void all.then(() => {
      isOver = true;
    });
    while (!isOver) {
      most = Math.max(most, (await runs().list()).length);
      await sleep(200);
    }
    expect(most).toBe(2);
    const ends = await all;
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
    expect(
      ends.filter(({ printed }) => printed.includes("waits for a place")).length,
    ).toBeGreaterThan(0);
    await runs().none();
  });

  test("change with a switch, which leaves alone what runs", async () => {
    const host = shared();
    const builds = [runs().start(requestFor("slow")), runs().start(requestFor("slow"))];
    const units = await Promise.all(builds.map(({ id }) => runs().unitOf(id, "begun")));
    const look = async () => {
      const names = ["InvocationID", "ActiveState", "MainPID"];
      return await showUnits(host.machine, units, names);
    };
    const before = await look();
    // when
    const { exitStatus, stopped, restarted } = await host.switchTo(
      withRuns("maxTests: 3", "timeoutMinutes: 90"),
    );
    // then
    expect(exitStatus).toBe(0);
    expect([...stopped, ...restarted].filter((unit) => unit.startsWith("cc-ci-run"))).toEqual([]);
    expect(await look()).toEqual(before);
    const further = runs().start(requestFor("slow"));
    await runs().unitOf(further.id, "begun");
    expect(await runs().list()).toHaveLength(3);
    // when there are fewer again
    expect((await host.switchTo(withRuns("maxTests: 1"))).exitStatus).toBe(0);
    // then those that go on do
    expect(await look()).toEqual(before);
    expect(await runs().list()).toHaveLength(3);
    // when there are to be none any more, then that has to wait
    const refused = await host.switchTo(withoutPieces(usualConfiguration()));
    expect(refused.exitStatus).toBe(1);
    expect(refused.refusal).toContain("takes the service of test runs away");
    expect(await look()).toEqual(before);
    for (const build of [...builds, further]) await build.cancel();
    await runs().none();
    expect(runs().resultsOf(further.id)?.outcome).toBe("aborted");
    // when none goes on any more, then they may go, and come back
    expect((await host.switchTo(withoutPieces(usualConfiguration()))).exitStatus).toBe(0);
    expect((await host.unit("cc-ci-run.socket")).state).toBe("inactive");
    expect((await host.switchTo(withRuns())).exitStatus).toBe(0);
    expect(await runs().serves()).toBe(true);
  });
});

describe("a switch that restarts Docker", () => {
  const mirrored = (mirror: string) =>
    withoutTimer(
      usualConfiguration(`runs: {}\ndocker:\n  registryMirrors: ["https://${mirror}.example.org"]`),
    );
  const shared = sharedHost({ configuration: mirrored("one") }, async (host) => {
    new TestRuns(host).script(scenes);
    await host.settle();
  });
  const docker = async () => (await shared().unit("docker.service")).invocation;

  /** Has the host drain, and do nothing then until it is told to. */
  async function draining(...flags: readonly string[]) {
    const host = shared();
    const marker = "/run/drained-by-test";
    await host.exec(["rm", "-f", marker]);
    const command = `: >${marker}; while [ -e ${marker} ]; do sleep 0.1; done`;
    const unit = `drain-${++drains}.service`;
    const end = host.exec(
      [
        ...["systemd-run", "--quiet", "--wait", "--pipe", "--collect", `--unit=${unit}`],
        ...["cc-ci-run", "drain", ...flags, "bash", "-c", command],
      ],
      { mayFail: true, timeoutSeconds: 600 },
    );
    const isDrained = () => existsSync(host.machine.inside(marker));
    return {
      ...{ unit, end, isDrained },
      drained: () => until("a drained host", 120, () => isDrained() || undefined),
      begun: () => until("a hold", 60, () => holds(/^builds-/).length > 0 || undefined),
      isOver: async () => {
        await host.exec(["rm", marker]);
        return (await end).exitCode;
      },
    };
  }
  let drains = 0;

  const holds = (name: RegExp): readonly string[] => {
    const folder = shared().machine.inside(runPlaces.holds);
    return existsSync(folder) ? readdirSync(folder).filter((each) => name.test(each)) : [];
  };

  test("is refused while a test runs, with what to do", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const build = runs.start(requestFor("slow"));
    await runs.unitOf(build.id, "begun");
    const before = await docker();
    // when
    const refused = await host.switchTo(mirrored("two"));
    // then nothing has changed
    expect(refused).toMatchObject({ exitStatus: 1, ran: [], stopped: [], restarted: [] });
    expect(refused.refusal).toContain(`[runs-in-the-way]`);
    expect(refused.refusal).toContain(`${build.id} (slow, since `);
    expect(await docker()).toBe(before);
    expect(await runs.list()).toMatchObject([{ id: build.id }]);
    // and the next one gets its run at once
    expect((await runs.run(requestFor("any"))).printed).not.toContain("waits for a place");
    await build.cancel();
    await runs.none();
  });

  test("lets no run begin from its check to its end, and builds wait", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const before = await docker();
    // given builds that ask from then on
    let isOver = false;
    const asked: Promise<BuildEnd>[] = [];
    const asking = (async () => {
      while (!isOver) {
        if (asked.length < 5 && holds(/^runs-/).length > 0) asked.push(runs.run(requestFor("any")));
        await sleep(1000);
      }
    })();
    // when
    const { exitStatus, refusal } = await host.switchTo(mirrored("three"));
    isOver = true;
    await asking;
    // then
    expect([exitStatus, refusal]).toEqual([0, ""]);
    expect(await docker()).not.toBe(before);
    const ends = await Promise.all(asked);
    expect(ends.length).toBeGreaterThan(0);
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 0));
    expect(ends[0]?.printed).toContain("waits for a place: the host lets no run begin");
    await runs.none();
  });

  test("that is killed after its check lets runs begin again", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    // given a process that asks as a switch does, and then does nothing
    const next = await buildSystem(mirrored("four"));
    installStore(host.machine.root, next);
    host.write(
      "/root/switching",
      `cc-ci-run may-switch ${next.toplevel} switch $$ && : >/run/asked && exec sleep 600`,
    );
    await host.exec(["systemd-run", "--quiet", "--unit=switching", "bash", "/root/switching"]);
    await until("the answer", 60, () => existsSync(host.machine.inside("/run/asked")) || undefined);
    await host.exec(["rm", "/run/asked"]);
    const build = runs.start(requestFor("any"));
    await sleep(5000);
    expect(runs.folders()).not.toContain(build.id);
    // when
    await host.exec(["systemctl", "kill", "--signal=SIGKILL", "switching"]);
    // then
    expect((await build.end).status).toBe(0);
    await host.exec(["systemctl", "reset-failed", "switching"], { mayFail: true });
    await runs.none();
  });

  test("goes through where the host was drained for it, and builds wait", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const build = runs.start(requestFor("short"));
    await runs.unitOf(build.id, "begun");
    const [drain, before] = [await draining(), await docker()];
    await drain.begun();
    const waiting = runs.start(requestFor("any"));
    // then what runs comes to its end first
    await drain.drained();
    expect((await build.end).status).toBe(0);
    expect(runs.resultsOf(build.id)?.outcome).toBe("passed");
    expect(await runs.list()).toEqual([]);
    // when
    expect((await host.switchTo(mirrored("five"))).exitStatus).toBe(0);
    // then
    expect(await docker()).not.toBe(before);
    expect(runs.folders()).not.toContain(waiting.id);
    expect(await drain.isOver()).toBe(0);
    expect((await waiting.end).status).toBe(0);
    await runs.none();
  });

  test("goes through at once where the runs are ended for it", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const builds = ["slow", "slow"].map((recipe) => runs.start(requestFor(recipe)));
    for (const { id } of builds) await runs.unitOf(id, "begun");
    const drain = await draining("--end");
    await drain.drained();
    expect((await host.switchTo(mirrored("six"))).exitStatus).toBe(0);
    expect(await drain.isOver()).toBe(0);
    for (const { id, end } of builds) {
      expect((await end).status).toBe(1);
      expect(runs.resultsOf(id)?.outcome).toBe("aborted");
      expect(runs.tearDownsOf(id)).toBe(1);
    }
    await runs.none();
    expect(await runs.serves()).toBe(true);
  });

  test("goes through where the runner has nobody to tell how its builds ended", async () => {
    const host = shared();
    const runner = async () => await host.unit(runnerUnit);
    // given one that tries for ever
    await host.exec([
      ...["systemd-run", "--quiet", `--unit=${runnerUnit}`, "--property=Restart=always"],
      ...["bash", "-c", "trap '' TERM; while :; do sleep 1; done"],
    ]);
    const before = await runner();
    // when
    const drain = await draining("--end");
    await drain.drained();
    // then it is gone until the drain is over
    expect((await runner()).state).toBe("failed");
    expect(await drain.isOver()).toBe(0);
    await until("the runner", 30, async () => (await runner()).state === "active" || undefined);
    expect((await runner()).invocation).not.toBe(before.invocation);
    await host.exec(["systemctl", "stop", "--no-block", runnerUnit]);
    await host.exec(["systemctl", "kill", "--signal=SIGKILL", runnerUnit]);
    await host.exec(["systemctl", "reset-failed", runnerUnit], { mayFail: true });
  });

  test.for(["SIGTERM", "SIGKILL"])(
    "is not made where draining is ended by %s, and runs begin again",
    async (signal) => {
      const runs = new TestRuns(shared());
      const build = runs.start(requestFor("slow"));
      await runs.unitOf(build.id, "begun");
      const drain = await draining();
      await until("a hold of runs", 60, () => holds(/^runs-/).length > 0 || undefined);
      const waiting = runs.start(requestFor("any"));
      await sleep(3000);
      expect(runs.folders()).not.toContain(waiting.id);
      // when
      await shared().exec(["systemctl", "kill", `--signal=${signal}`, drain.unit]);
      // then
      const { exitCode, stderr, stdout } = await drain.end;
      expect(exitCode).not.toBe(0);
      if (signal === "SIGTERM") expect(stdout + stderr).toContain("[drain-given-up]");
      expect(drain.isDrained()).toBe(false);
      expect((await waiting.end).status).toBe(0);
      // and what ran has gone on
      expect((await runs.list()).map(({ id }) => id)).toContain(build.id);
      await build.cancel();
      await runs.none();
    },
  );

  test("is no more in the way after a power cut in the middle of draining", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const drain = await draining();
    void drain.end.catch(() => undefined);
    await drain.drained();
    await host.machine.powerCut();
    await host.machine.boot();
    await host.waitForDocker();
    expect(await runs.serves()).toBe(true);
  });
});
