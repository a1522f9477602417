import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { usualConfiguration } from "../host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { requestFor, TestRuns, withRuns } from "../library/test-runs.ts";
import { withoutTimer } from "../library/without-timer.ts";
import { showUnits } from "../system/switch.ts";

const scenes = {
  slow: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] },
  short: { acts: [{ say: "begun" }, { sleepSeconds: 3 }] },
};

describe("places for test runs", () => {
  const shared = sharedHost({ configuration: withRuns(), withoutDocker: true }, async (host) =>
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
    const refused = await host.switchTo(usualConfiguration());
    expect(refused.exitStatus).toBe(1);
    expect(refused.refusal).toContain("takes the service of test runs away");
    expect(await look()).toEqual(before);
    for (const build of [...builds, further]) await build.cancel();
    await runs().none();
    expect(runs().resultsOf(further.id)?.outcome).toBe("aborted");
    // when none goes on any more, then they may go, and come back
    expect((await host.switchTo(usualConfiguration())).exitStatus).toBe(0);
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

  test("is refused while a test runs, with what to do; drained, it goes on", async () => {
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
    // when it is drained: no further one begins, and a build waits
    await host.exec(["systemctl", "stop", "cc-ci-run.socket"]);
    expect(await runs.list()).toMatchObject([{ id: build.id }]);
    const waiting = runs.start(requestFor("any"));
    await build.cancel();
    await runs.none();
    const { exitStatus, refusal } = await host.switchTo(mirrored("two"));
    // then
    expect([exitStatus, refusal]).toEqual([0, ""]);
    expect(await docker()).not.toBe(before);
    expect((await waiting.end).status).toBe(0);
  });

  test("goes on once the runs were ended by hand", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const build = runs.start(requestFor("slow"));
    await runs.unitOf(build.id, "begun");
    expect((await host.switchTo(mirrored("three"))).exitStatus).toBe(1);
    await host.exec(["systemctl", "stop", "cc-ci-run@*.service"]);
    expect((await host.switchTo(mirrored("three"))).exitStatus).toBe(0);
    expect((await build.end).status).toBe(1);
    await runs.none();
    expect(runs.resultsOf(build.id)?.outcome).toBe("aborted");
    expect(runs.tearDownsOf(build.id)).toBe(1);
  });
});
