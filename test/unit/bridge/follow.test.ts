import { describe, expect, test } from "vitest";
import { endOf } from "../../../services/bridge/pipeline/follow.ts";
import type { Outcome } from "../../../services/lib/drone/outcome.ts";
import type { RunResults } from "../../../services/lib/run.ts";
import { results } from "./run-results.ts";

describe("what a test came to", () => {
  const outcomes: Readonly<Record<Exclude<Outcome, "going-on">, readonly [string, string | null]>> =
    {
      passed: ["passed", "It left nothing that says more: see the build."],
      failed: ["failed", "It left nothing that says more: see the build."],
      cancelled: ["cancelled", "It was ended in Drone, or lost there."],
      killed: ["cancelled", "It was ended in Drone, or lost there."],
      "timed-out": ["timed-out", null],
      "not-runnable": ["broken", "Drone did not run it: yaml: line 3"],
      skipped: ["broken", "Drone did not run it: yaml: line 3"],
    };
  const all = Object.entries(outcomes) as readonly [
    keyof typeof outcomes,
    readonly [string, string | null],
  ][];
  const build = { error: "yaml: line 3" };
  const stages = results.stages;

  test.for(all)("is by its build alone: %s", ([came, [outcome, reason]]) => {
    expect(endOf({ ending: null }, came, build, undefined)).toEqual({
      outcome,
      reason,
      stages: [],
    });
  });

  test.for(all)("is what its run says, whatever the build came to: %s", ([came]) => {
    for (const ending of [null, "cancelled", "timed-out"] as const) {
      expect(endOf({ ending }, came, build, results)).toEqual({
        ...{ outcome: "failed", reason: "the page said 500", stages },
      });
      const passed: RunResults = { ...results, outcome: "passed", reason: null };
      expect(endOf({ ending }, came, build, passed)).toEqual({
        ...{ outcome: "passed", reason: null, stages },
      });
    }
  });

  test.for(["cancelled", "superseded", "timed-out", "not-reached"] as const)(
    "is what we ended it for: %s",
    (ending) => {
      const aborted: RunResults = { ...results, outcome: "aborted", reason: "it was ended" };
      for (const [came] of all) {
        const end = { outcome: ending, reason: null };
        expect(endOf({ ending }, came, build, undefined)).toEqual({ ...end, stages: [] });
        expect(endOf({ ending }, came, build, aborted)).toEqual({ ...end, stages });
      }
    },
  );

  test.for(all)("of one that could not end by itself keeps its stages: %s", ([came, [outcome]]) => {
    const aborted: RunResults = { ...results, outcome: "aborted", reason: "it was ended" };
    expect(endOf({ ending: null }, came, build, aborted)).toMatchObject({ outcome, stages });
  });

  test("is why, where a run was ended on its host", () => {
    const aborted: RunResults = { ...results, outcome: "aborted", reason: "the host went down" };
    expect(endOf({ ending: null }, "failed", build, aborted).reason).toBe("the host went down");
  });

  test("is no more than that where Drone does not say why", () => {
    expect(endOf({ ending: null }, "skipped", { error: "" }, undefined).reason).toBe(
      "Drone did not run it.",
    );
  });
});
