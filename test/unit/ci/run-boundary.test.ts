import { describe, expect, test } from "vitest";
import { CcCi } from "../../../constructs/app.ts";
import { RunBoundary, type RunBoundaryProps } from "../../../constructs/ci/run-boundary.ts";
import { Host } from "../../../constructs/nixos/host.ts";
import { stateFolders, statePath } from "../../../constructs/nixos/state-folders.ts";
import { expectUnit } from "../../../constructs/testing.ts";
import { runPlaces } from "../../../services/lib/run.ts";
import { bareHost, problemsOf } from "../nixos/tree.ts";

const service = "docker.service";

/** What a host with these runs objects to. */
function problems(props: Partial<RunBoundaryProps>): readonly string[] {
  const host = bareHost();
  new RunBoundary(host, "runs", { service, ...props });
  return problemsOf(host);
}

/** A tree with these runs, for `expectUnit`. */
function treeWith(props: Partial<RunBoundaryProps> = {}): CcCi {
  const app = new CcCi();
  const host = new Host(app, "one", { domain: "ci.example.org" });
  new RunBoundary(host, "runs", { service, ...props });
  return app;
}

test("runs with their defaults are fine", () => {
  expect(problems({})).toEqual([]);
});

test.for<[string, Partial<RunBoundaryProps>, string]>([
  ["no test at a time", { maxTests: 0 }, "maxTests: must be a whole number from 1 to 32"],
  ["half a test", { maxTests: 1.5 }, "maxTests: must be a whole number from 1 to 32"],
  ["a crowd", { maxTests: 33 }, "maxTests: must be a whole number from 1 to 32"],
  ["no time", { timeoutMinutes: 0 }, "timeoutMinutes: must be a whole number from 1 to 1440"],
  ["two days", { timeoutMinutes: 2880 }, "timeoutMinutes: must be a whole number from 1 to 1440"],
  ["nothing kept", { keepDays: 0 }, "keepDays: must be a whole number from 1 to 3650"],
  ["no run kept", { keepRuns: 0 }, "keepRuns: must be a whole number from 1 to 100000"],
  ["no room", { keepGiB: 0 }, "keepGiB: must be a whole number from 1 to 10000"],
])("runs are refused for %s", ([, props, problem]) => {
  expect(problems(props)).toEqual([expect.stringContaining(problem)]);
});

describe("the boundary", () => {
  test("lets the builds' group and nobody else in, so many at a time", () => {
    expectUnit(treeWith({ maxTests: 4 }), "cc-ci-run.socket").toHaveOptions({
      listenStreams: [runPlaces.socket],
      socketConfig: {
        ...{ Accept: true, MaxConnections: 4 },
        ...{ SocketUser: "root", SocketGroup: "cc-ci-runner", SocketMode: "0660" },
      },
    });
  });

  test("bounds a run, and no rebuild ends one", () => {
    expectUnit(treeWith({ timeoutMinutes: 90 }), "cc-ci-run@").toHaveOptions({
      restartIfChanged: false,
      serviceConfig: { RuntimeMaxSec: "90min", KillMode: "mixed" },
    });
  });

  test("removes what containers left under users of their own", () => {
    for (const unit of ["cc-ci-run@", "cc-ci-runs"]) {
      expectUnit(treeWith(), unit).toHaveOptions({
        serviceConfig: { CapabilityBoundingSet: "CAP_DAC_OVERRIDE" },
      });
    }
  });

  test("outlives Docker by no moment", () => {
    const app = treeWith();
    expectUnit(app, "cc-ci-run@").toRunAfter(service);
    expectUnit(app, "cc-ci-runs").toRunAfter(service);
  });

  test("and the program of the host mean the same places", () => {
    expect(runPlaces.runs).toBe(statePath(stateFolders.runs));
  });
});
