import { describe, expect, test } from "vitest";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import {
  type BuildsSight,
  notTaken,
  planBuilds,
} from "../../../../services/converge/kinds/drone-builds.ts";
import type { Build } from "../../../../services/lib/drone/schemas.ts";

const now = new Date("2026-11-28T12:00:00Z");
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000);
const id = "0123456789abcdef";

const resource: ResourceOf<"drone-builds"> = {
  ...{ kind: "drone-builds", server: "https://drone.ci.example.org", ownerTokenFile: "/t" },
  ...{ forge: "https://git.example.org", repository: "ci/cc-ci", graceSeconds: 60, waitSeconds: 0 },
  runner: { unit: "cc-ci-runner.service", name: "cc-ci" },
};

/** A build that runs on this host since ten minutes. */
function build(more: Partial<Build> = {}, stage: Partial<Build["stages"][number]> = {}): Build {
  return {
    ...{
      number: 7,
      status: "running",
      event: "custom",
      error: "",
      after: "",
      params: { CCCI_ID: id },
    },
    ...{ created: ago(700), started: ago(600), finished: null },
    stages: [
      {
        ...{ number: 1, name: "run", status: "running", error: "", machine: "cc-ci" },
        ...{ started: ago(600), updated: ago(600), steps: [], ...stage },
      },
    ],
    ...more,
  };
}

const run = {
  ...{ id, recipe: "wiki", since: ago(590).toISOString(), isCancelled: false },
  unit: "cc-ci-run@1-2-3.service",
};

const fine: BuildsSight = {
  builds: [build()],
  runs: [run],
  ended: new Map(),
  runner: { isUp: true, started: ago(5000) },
  now,
};

/** What is to be done, and why. */
function calls(sight: Partial<BuildsSight>): readonly string[] {
  const nothing = async (): Promise<void> => undefined;
  const plan = planBuilds(resource, { ...fine, ...sight }, { cancel: nothing, stop: nothing });
  return plan.map(({ verb, target, why }) => `${verb} ${target}: ${why}`);
}

const unstarted = { started: null, finished: null };

describe("a build", () => {
  test.for<[string, Partial<BuildsSight>]>([
    ["that runs, and whose run goes on", {}],
    ["whose step waits for a slot, so that there is no run yet", { runs: [] }],
    ["whose run has just ended", { ended: new Map([[id, ago(10)]]) }],
    [
      "that ended, and its run just now",
      { builds: [build({ status: "success", finished: ago(10) })] },
    ],
    [
      "that waits for its turn",
      {
        runs: [],
        builds: [
          build(
            { status: "pending", ...unstarted, created: ago(9000) },
            { status: "pending", machine: "", started: null },
          ),
        ],
      },
    ],
    [
      "that a runner has just taken",
      {
        runs: [],
        builds: [
          build({ status: "pending" }, { status: "pending", started: null, updated: ago(5) }),
        ],
      },
    ],
    [
      "that began as the runner did",
      { runner: { isUp: true, started: ago(30) }, builds: [build({}, { started: ago(30) })] },
    ],
    [
      "of another runner",
      { builds: [build({}, { machine: "other" })], runner: { isUp: false, started: now } },
    ],
    ["of which nobody knows an id", { builds: [build({ params: {} })], runs: [] }],
    ["that was started by hand at the socket, without Drone", { builds: [] }],
  ])("is left alone %s", ([, sight]) => {
    expect(calls(sight)).toEqual([]);
  });

  test.for<[string, Partial<BuildsSight>, string]>([
    [
      "whose run ended, and Drone was not told",
      { runs: [], ended: new Map([[id, ago(90)]]) },
      "build cancel ci/cc-ci/7: its run ended 2026-11-28T11:58:30.000Z, and Drone was not told",
    ],
    [
      "whose runner was started anew",
      { runs: [], runner: { isUp: true, started: ago(300) } },
      "build cancel ci/cc-ci/7: cc-ci-runner.service, which had it, was started anew 2026-11-28T11:55:00.000Z",
    ],
    [
      "whose runner does not run",
      { runs: [], runner: { isUp: false, started: ago(5000) } },
      "build cancel ci/cc-ci/7: cc-ci-runner.service, which had it, does not run",
    ],
    [
      "that a runner took, and could not begin",
      {
        runs: [],
        builds: [
          build({ status: "pending" }, { status: "pending", started: null, updated: ago(90) }),
        ],
      },
      "build cancel ci/cc-ci/7: it was taken by cc-ci, and not begun",
    ],
    [
      "that was cancelled, and its run not told",
      { builds: [build({ status: "killed", finished: ago(90) })] },
      `run stop ${id}: its build has ended`,
    ],
  ])("is ended %s", ([, sight, call]) => {
    expect(calls(sight)).toEqual([call]);
  });
});

describe("a build that waits", () => {
  const waiting = (number: number, seconds: number): Build =>
    build(
      { number, status: "pending", ...unstarted, created: ago(seconds) },
      { status: "pending", machine: "", started: null, updated: ago(seconds) },
    );
  const ended = (seconds: number): Build =>
    build({ number: 1, status: "success", finished: ago(seconds), stages: [] });

  test.for<[string, Partial<BuildsSight>]>([
    ["for its turn", { builds: [waiting(8, 900), build()] }],
    ["since just now", { builds: [waiting(8, 50), ended(900)] }],
    ["for a runner that has just come through another", { builds: [waiting(8, 900), ended(5)] }],
    ["for a runner that was just started", { runner: { isUp: true, started: ago(30) } }],
    [
      "for a runner that is down, which another piece says",
      { runner: { isUp: false, started: now } },
    ],
  ])("is not told of %s", ([, sight]) => {
    expect(notTaken(resource, { ...fine, builds: [waiting(8, 900)], ...sight })).toBeUndefined();
  });

  test("is told of when the runner is free, the oldest first", () => {
    const builds = [waiting(9, 10), waiting(8, 300), waiting(7, 900), ended(9000)];
    expect(notTaken(resource, { ...fine, builds })?.number).toBe(7);
    expect(calls({ builds, runs: [] })).toEqual([]);
  });
});
