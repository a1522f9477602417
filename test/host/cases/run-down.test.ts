import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { idleHost } from "../library/idle-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { requestFor, TestRuns, withRuns } from "../library/test-runs.ts";
import { until } from "../machine/processes.ts";

const scenes = {
  children: { acts: [{ children: 3 }, { say: "begun" }, { sleepSeconds: 600 }] },
  silent: { results: "none" },
};

/** systemd puts the instances of a template into a slice of their own. */
const slice = "system-cc\\x2dci\\x2drun.slice";

describe("a host that goes down in the middle of a test run", () => {
  const shared = sharedHost(idleHost(withRuns()), async (host) =>
    new TestRuns(host).script(scenes),
  );

  async function running(host: Host) {
    const runs = new TestRuns(host);
    const build = runs.start(requestFor("children"));
    void build.end.catch(() => undefined);
    await runs.unitOf(build.id, "begun");
    return { runs, id: build.id };
  }

  test("in order tears it down first", async () => {
    const host = shared();
    const { runs, id } = await running(host);
    await host.machine.stop();
    expect(runs.resultsOf(id)).toMatchObject({ outcome: "aborted" });
    // Its build goes down at the same time.
    expect(runs.resultsOf(id)?.reason).toMatch(/stopped on the host|went away/);
    expect(runs.tearDownsOf(id)).toBe(1);
    await host.machine.boot();
    await runs.none();
    expect(await runs.serves()).toBe(true);
    expect(runs.tearDownsOf(id)).toBe(1);
  });

  test("by a power cut does so soon after it is up again", async () => {
    const host = shared();
    const { runs, id } = await running(host);
    await host.machine.powerCut();
    await host.machine.boot();
    await runs.none();
    expect(runs.resultsOf(id)).toBeUndefined();
    expect(await runs.serves()).toBe(true);
    // when the timer comes by
    await until("results of the run", 180, () => runs.resultsOf(id), 500);
    // then
    expect(runs.resultsOf(id)?.reason).toContain("the host went down in the middle of it");
    expect(runs.tearDownsOf(id)).toBe(1);
  });

  test.for(["kill", "power cut"] as const)("or a service of it, at any step: %s", async (how) => {
    const host = shared();
    const runs = new TestRuns(host);
    const reached: string[] = [];
    for (const command of ["serve", "end"]) {
      for (let step = 1, isOver = false; !isOver; step += 1) {
        for (const when of how === "kill" ? ["before", "after"] : ["after"]) {
          const place = `${command}:${step}:${when}`;
          await host.exec(["systemctl", "set-environment", `CC_CI_STOP_AT=${place}`]);
          const build = runs.start(requestFor("silent"));
          const end = build.end.catch(() => undefined);
          const frozen = await frozenUnit(host, runs, end);
          await host.exec(["systemctl", "unset-environment", "CC_CI_STOP_AT"]);
          isOver = frozen === undefined;
          if (frozen === undefined) break;
          reached.push(place);
          if (how === "kill") await host.faults.killUnit(frozen);
          else {
            await host.machine.powerCut();
            await host.machine.boot();
          }
          await end;
          await expectEnded(host, runs, build.id, place);
        }
      }
    }
    // then there was something to kill: a folder, a note and a name; processes, the teardown, that it is
    // owed no more, the results
    const steps = new Set(reached.map((place) => place.replace(/:\w+$/, "")));
    expect([...steps]).toEqual([
      "serve:1",
      "serve:2",
      "serve:3",
      "end:1",
      "end:2",
      "end:3",
      "end:4",
    ]);
    expect(await runs.serves()).toBe(true);
  });

  test("or a sweep, at any step, is made good by the next sweep", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    const reached: string[] = [];
    // The timer's own would come in between.
    await host.exec(["systemctl", "stop", "cc-ci-runs.timer"]);
    for (let step = 1, isOver = false; !isOver; step += 1) {
      for (const when of ["before", "after"]) {
        // given a run that nobody was left to end
        const request = requestFor("any");
        expect((await runs.run(request)).status).toBe(0);
        await runs.none();
        const folder = `/var/lib/cc-ci/runs/${request.id}`;
        await host.exec(["rm", `${folder}/results.json`, `${folder}/artefacts/torn-down.json`]);
        // when
        const place = `sweep:${step}:${when}`;
        await host.exec(["systemctl", "set-environment", `CC_CI_STOP_AT=${place}`]);
        await host.exec(["systemctl", "start", "--no-block", "cc-ci-runs.service"]);
        isOver = !(await host.faults.waitUntilStopped("cc-ci-runs.service"));
        if (!isOver) {
          reached.push(place);
          await host.faults.killUnit("cc-ci-runs.service");
          await until("its end", 30, async () =>
            (await host.unit("cc-ci-runs.service")).state === "failed" ? true : undefined,
          );
        }
        await host.faults.stopNowhere();
        expect(await host.start("cc-ci-runs"), place).toMatchObject({ result: "success" });
        // then
        await runs.none();
        expect(runs.resultsOf(request.id)?.outcome, place).toBe("aborted");
        expect(runs.tearDownsOf(request.id), place).toBeGreaterThan(0);
        const left = await host.exec(["ls", "-A", folder]);
        expect(left.stdout, place).toBe("artefacts\nlog.jsonl\nrequest.json\nresults.json\n");
      }
    }
    const steps = [1, 2, 3].flatMap((step) => [`sweep:${step}:before`, `sweep:${step}:after`]);
    expect(reached).toEqual(steps);
    await host.exec(["systemctl", "start", "cc-ci-runs.timer"]);
  });

  /** The unit of the run that has frozen; undefined when its build ended without. */
  async function frozenUnit(host: Host, runs: TestRuns, end: Promise<unknown>) {
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    const look = async () => {
      const atWork = [...host.machine.unitsAtWork()].filter((unit) => unit.startsWith(slice));
      const frozen = atWork.find((unit) => host.machine.isFrozen(unit));
      if (frozen !== undefined) return { frozen: basename(frozen) };
      return isOver && (await runs.units()).length === 0 ? { frozen: undefined } : undefined;
    };
    return (await until("a run that is frozen or over", 120, look)).frozen;
  }

  /** Whatever was killed, after a sweep there is no run, or one that is ended. */
  async function expectEnded(host: Host, runs: TestRuns, id: string, place: string) {
    await until(`the end after ${place}`, 60, async () =>
      (await runs.units()).length === 0 ? true : undefined,
    );
    // What a power cut left that was no run yet is taken for young, for a minute.
    const touch = "find /var/lib/cc-ci/runs -maxdepth 1 -name '.new-*' -exec touch -d @1 {} +";
    await host.exec(["sh", "-c", touch]);
    expect(await host.start("cc-ci-runs"), place).toMatchObject({ result: "success" });
    await runs.none();
    const hasBegun = !/^serve:(?:[12]:|3:before)/.test(place);
    expect(runs.folders().includes(id), place).toBe(hasBegun);
    if (!hasBegun) return;
    expect(runs.resultsOf(id)?.outcome, place).toBe("aborted");
    expect(runs.tearDownsOf(id), place).toBeGreaterThan(0);
  }
});

describe("a disk without room", () => {
  const full = "/var/lib/cc-ci/runs/.full";
  const shared = sharedHost(idleHost(withRuns()));

  test("gives no run, and the next one once there is room", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    expect(await runs.serves()).toBe(true);
    const relieve = await host.faults.fullDisk("/var/lib/cc-ci/runs");
    const { status, printed } = await runs.run();
    expect(status).toBe(1);
    expect(printed).toContain("[run-defect]");
    expect(printed).toContain("ENOSPC");
    await relieve();
    await runs.none();
    expect(await runs.serves()).toBe(true);
  });

  test("in the middle of a run fails it, and it is ended when there is room again", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    runs.script({ children: { acts: [{ children: 1 }, { say: "begun" }, { sleepSeconds: 15 }] } });
    const build = runs.start(requestFor("children"));
    const log = `/var/lib/cc-ci/runs/${build.id}/log.jsonl`;
    await until("the run", 60, async () =>
      (await host.exec(["grep", "begun", log], { mayFail: true })).exitCode === 0
        ? true
        : undefined,
    );
    // To the last byte.
    const fill = `dd if=/dev/zero of=${full} bs=64k; dd if=/dev/zero of=${full}-too bs=1; true`;
    await host.exec(["sh", "-c", fill]);
    expect((await build.end).status).toBe(1);
    await host.exec(["rm", full, `${full}-too`]);
    await until("the end", 60, async () => ((await runs.units()).length === 0 ? true : undefined));
    await host.start("cc-ci-runs");
    await runs.none();
    const path = `/var/lib/cc-ci/runs/${build.id}/results.json`;
    expect((await host.exec(["cat", path])).stdout).toContain('"aborted"');
  });
});
