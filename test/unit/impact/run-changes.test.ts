import { describe, expect, test } from "vitest";
import type { HostFacts } from "../../../constructs/impact/facts.ts";
import { runChanges } from "../../../constructs/impact/run-changes.ts";

function facts(runs?: Record<string, number>): HostFacts {
  return { units: {}, restarts: {}, settings: runs === undefined ? {} : { runs } };
}

const usual = { maxTests: 2, timeoutMinutes: 60, keepDays: 30, keepRuns: 500, keepGiB: 5 };
const docker = [{ name: "docker.service", reasons: ["its settings change: registry-mirrors"] }];

describe("what a switch does to test runs", () => {
  test.for<[string, Parameters<typeof runChanges>, readonly string[]]>([
    ["nothing where nothing changes", [facts(usual), facts(usual), []], []],
    ["nothing where there are none", [facts(), facts(), docker], []],
    ["they come", [facts(), facts(usual), docker], ["the host takes some from now on"]],
    [
      "they go",
      [facts(usual), facts(), []],
      [
        "the host takes no more of them: the switch is refused as long as one goes on, and names it",
      ],
    ],
    [
      "more at once",
      [facts(usual), facts({ ...usual, maxTests: 4 }), []],
      ["maxTests 2 → 4: further ones begin at once"],
    ],
    [
      "fewer at once",
      [facts({ ...usual, maxTests: 10 }), facts(usual), []],
      [
        "maxTests 10 → 2: those that go on end by themselves, and no new one begins while there are as many",
      ],
    ],
    [
      "another limit, and less that is kept",
      [facts(usual), facts({ ...usual, timeoutMinutes: 90, keepDays: 7 }), []],
      [
        "timeoutMinutes 60 → 90: for runs that go on too, from when each began; the switch is refused where one would end at once",
        "keepDays 30 → 7: the next sweep removes what is older",
      ],
    ],
    [
      "Docker restarts",
      [facts(usual), facts(usual), docker],
      ["Docker restarts: the switch is refused as long as one goes on, and names it"],
    ],
  ])("%s", ([, given, sentences]) => {
    expect(runChanges(...given)).toEqual(sentences);
  });
});
