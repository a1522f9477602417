import { describe, expect, test } from "vitest";
import {
  isFinal,
  type Outcome,
  outcomeOf,
  stepOutcomeOf,
} from "../../../services/lib/drone/outcome.ts";
import type { Build } from "../../../services/lib/drone/schemas.ts";

type Status = Build["status"];
type Step = readonly [status: Status, exitCode: number];

/** A stage of a build, as the build's own answer has it. */
function stage(status: Status, ...steps: readonly Step[]): Build["stages"][number] {
  return {
    ...{ number: 1, name: "run", status, error: "", machine: "cc-ci", started: null },
    updated: null,
    steps: steps.map(([status, exit_code], at) => ({
      ...{ number: at + 1, name: `step ${at + 1}`, status, exit_code },
    })),
  };
}

describe("what came of a build", () => {
  test.for<[string, Status, Build["stages"], Outcome]>([
    ["that waits", "pending", [stage("pending")], "going-on"],
    ["that runs", "running", [stage("running", ["running", 0])], "going-on"],
    ["that a person has yet to allow", "blocked", [], "going-on"],
    ["that passed", "success", [stage("success", ["success", 0])], "passed"],
    ["whose step skipped the rest", "success", [stage("success", ["success", 78])], "passed"],
    ["that failed", "failure", [stage("failure", ["failure", 1])], "failed"],
    ["whose step somebody killed", "failure", [stage("failure", ["failure", 137])], "failed"],
    [
      "that was cancelled",
      "killed",
      [stage("killed", ["success", 0], ["killed", 130], ["skipped", 0])],
      "cancelled",
    ],
    ["that was cancelled before it began", "killed", [stage("skipped")], "cancelled"],
    ["that took too long", "killed", [stage("killed", ["killed", 137])], "timed-out"],
    [
      "of which a later step took too long",
      "killed",
      [stage("killed", ["success", 0], ["killed", 137], ["skipped", 130])],
      "timed-out",
    ],
    ["whose end is being written down", "killed", [stage("running", ["running", 0])], "going-on"],
    ["that was ended, and stands in a list", "killed", [], "killed"],
    ["whose configuration is wrong", "error", [], "not-runnable"],
    ["that a runner is not for", "error", [stage("error")], "not-runnable"],
    ["that was not its turn", "skipped", [stage("skipped")], "skipped"],
    ["that a person declined", "declined", [], "skipped"],
  ])("%s", ([, status, stages, outcome]) => {
    expect(outcomeOf({ status, stages })).toBe(outcome);
  });

  test.for<[Step, Outcome]>([
    [["killed", 130], "cancelled"],
    [["killed", 137], "timed-out"],
    [["killed", 0], "killed"],
    [["failure", 137], "failed"],
    [["success", 0], "passed"],
    [["running", 0], "going-on"],
    [["skipped", 130], "skipped"],
  ])("is told of a step by both its members: %j", ([[status, exit_code], outcome]) => {
    expect(stepOutcomeOf({ status, exit_code })).toBe(outcome);
  });

  test("is final in the very statuses that are no wait", () => {
    const statuses: readonly Status[] = [
      ...(["skipped", "blocked", "declined", "waiting_on_dependencies", "pending"] as const),
      ...(["running", "success", "failure", "killed", "error"] as const),
    ];
    expect(statuses.filter((status) => !isFinal(status))).toEqual([
      ...["blocked", "waiting_on_dependencies", "pending", "running"],
    ]);
  });
});
