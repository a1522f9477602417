import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Request, RequestOutcome } from "../../../services/bridge/records/requests.ts";
import { readComment } from "../../../services/bridge/words/command.ts";
import { clockTime, duration } from "../../../services/bridge/words/duration.ts";
import {
  help,
  nearMiss,
  nothingToCancel,
  type Refusal,
  refusal,
} from "../../../services/bridge/words/replies.ts";
import { state } from "../../../services/bridge/words/state.ts";
import {
  type StatusView,
  statusComment,
  statusMarker,
} from "../../../services/bridge/words/status-comment.ts";
import { statusReply } from "../../../services/bridge/words/status-reply.ts";
import { shapeOf, visible } from "./shown.ts";

test.each([
  [-5000, "0 s"],
  [0, "0 s"],
  [499, "0 s"],
  [500, "1 s"],
  [59_499, "59 s"],
  [59_500, "1 min"],
  [60_000, "1 min"],
  [192_000, "3 min 12 s"],
  [3_599_499, "59 min 59 s"],
  [3_599_500, "1 h"],
  [3_600_000, "1 h"],
  [3_659_000, "1 h"],
  [7_380_000, "2 h 3 min"],
  [100 * 3_600_000, "100 h"],
])("%i milliseconds are %j", (milliseconds, expected) => {
  expect(duration(milliseconds)).toBe(expected);
});

test("a moment is told so that people anywhere understand it", () => {
  expect(clockTime(Date.UTC(2026, 0, 5, 23, 4, 59))).toBe("23:04 UTC");
});

const head = "0123456789abcdef0123456789abcdef01234567";
const newer = "fedcba9876543210fedcba9876543210fedcba98";
const ten = Date.UTC(2026, 0, 5, 10);

const accepted: Request = {
  ...{ id: "0011223344556677", comment: 7, repository: "recipes/wiki", pull: 3, author: 11 },
  ...{ recipe: "wiki", head, quick: false, isNamed: false, writtenAt: ten },
  ...{ phase: "accepted", acceptedAt: ten + 1000, askedAt: null, build: null, begunAt: null },
  ciCommit: null,
  ...{ place: null, queue: null, ending: null, outcome: null, reason: null, stages: [] },
  endedAt: null,
};

const waiting: Request = {
  ...accepted,
  ...{ phase: "building", askedAt: ten + 4000, build: 12, place: 2, queue: 5 },
};

const running: Request = { ...waiting, place: null, queue: null, begunAt: ten + 60_000 };

const ended = (outcome: RequestOutcome, changes: Partial<Request> = {}): Request => ({
  ...{ ...running, phase: "ended", outcome, endedAt: ten + 252_000 },
  ...changes,
});

test.for<readonly [string, Request, string]>([
  ["accepted", accepted, "🕐 accepted"],
  ["asked for", { ...accepted, phase: "asking", askedAt: ten }, "🕐 accepted"],
  ["with a build", { ...waiting, place: null, queue: null }, "🕐 queued"],
  ["with a place", waiting, "🕐 queued, at place 2 of 5"],
  ["running", running, "▶️ running since 10:01 UTC"],
  ["to be ended before it began", { ...accepted, ending: "superseded" }, "⏹️ is being ended"],
  ["to be ended while it runs", { ...running, ending: "cancelled" }, "⏹️ is being ended"],
  ["passed", ended("passed"), "✅ passed after 3 min 12 s"],
  ["failed", ended("failed"), "❌ failed after 3 min 12 s"],
  ["cancelled", ended("cancelled", { ending: "cancelled" }), "⚪ cancelled after 3 min 12 s"],
  ["superseded", ended("superseded"), "⚪ given up for a newer request after 3 min 12 s"],
  ["too long", ended("timed-out"), "❌ took too long after 3 min 12 s"],
  ["never begun", ended("not-reached", { begunAt: null }), "⚠️ never began"],
  ["refused", ended("refused", { begunAt: null }), "⚪ not tested"],
  ["broken", ended("broken", { begunAt: null }), "⚠️ could not be tested"],
  ["ended by a clock that went back", ended("passed", { endedAt: ten }), "✅ passed after 0 s"],
])("a test that is %s says so", ([, request, expected]) => {
  expect(state(request)).toBe(expected);
});

const view = (changes: Partial<StatusView> = {}): StatusView => ({
  ...{ requests: [accepted], head, lastLines: [], dashboard: undefined, trouble: undefined },
  linkOf: (build) => `https://drone.example.org/ci/cc-ci/${build}`,
  ...changes,
});

const footer = "<sub>`!testme help` says what can be written here.</sub>";

const stage = (
  name: string,
  status: Request["stages"][number]["status"],
  changes: Partial<Request["stages"][number]> = {},
): Request["stages"][number] => ({
  ...{ name, status, reason: null },
  ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:01:40.000Z" },
  ...changes,
});

describe("the comment on a pull request", () => {
  test("begins by what we find it again by, and says how far its test is", () => {
    expect(statusComment(view())).toBe(
      `${statusMarker}\n\n🕐 accepted · **wiki** at ${head}\n\n${footer}`,
    );
  });

  test("leads to the build once there is one, and says what is left out", () => {
    expect(statusComment(view({ requests: [{ ...waiting, quick: true }] }))).toContain(
      `\n\n🕐 queued, at place 2 of 5 · **wiki** at ${head}, quick · [build 12](https://drone.example.org/ci/cc-ci/12)\n\n`,
    );
  });

  test("leads to the dashboard where there is one", () => {
    expect(statusComment(view({ dashboard: "https://ci.example.org/wiki" }))).toContain(
      "<sub>[All tests of this recipe](https://ci.example.org/wiki) · `!testme help`",
    );
  });

  test("says all of a test that failed", () => {
    const failed = ended("failed", {
      reason: "the page | of @member said `500`\nand #1",
      stages: [
        stage("install", "passed"),
        stage("health", "failed", { reason: "no answer | within 60 s\n@all" }),
        stage("upgrade", "skipped", { startedAt: null, endedAt: null }),
        stage("backup", "unverified", { endedAt: null, reason: "health failed" }),
        stage("restore", "aborted"),
      ],
    });
    const earlier = [
      ended("passed", { quick: true }),
      ended("refused", { build: null, begunAt: null }),
    ];
    const text = statusComment(
      view({ requests: [failed, ...earlier], lastLines: ["one", "last of @member"] }),
    );
    expect(text).toBe(
      [
        statusMarker,
        "",
        `❌ failed after 3 min 12 s · **wiki** at ${head} · [build 12](https://drone.example.org/ci/cc-ci/12)`,
        "",
        "the page &#124; of &#64;\u200bmember said &#96;500&#96; and &#35;\u200b1",
        "",
        "| stage | result | time | why |",
        "|---|---|---|---|",
        "| install | ✅ passed | 40 s |  |",
        "| health | ❌ failed | 40 s | no answer &#124; within 60 s &#64;\u200ball |",
        "| upgrade | ⚪ skipped |  |  |",
        "| backup | ⚠️ not run |  | health failed |",
        "| restore | ⏹️ aborted | 40 s |  |",
        "",
        "The last lines that it printed:",
        "",
        "```text",
        "one",
        "last of @\u200bmember",
        "```",
        "",
        "Before that:",
        "",
        `- ✅ passed after 3 min 12 s · ${head}, quick · [build 12](https://drone.example.org/ci/cc-ci/12)`,
        `- ⚪ not tested · ${head}`,
        "",
        footer,
      ].join("\n"),
    );
  });

  test.for<readonly [string, Request]>([
    ["waits", waiting],
    ["passed", ended("passed")],
  ])("says that it is stale where its test %s and there is a newer commit", ([, request]) => {
    const mark = `**This is stale:** the newest commit is now ${newer}. \`!testme\` tests that one.`;
    expect(statusComment(view({ requests: [request], head: newer }))).toContain(`\n\n${mark}\n\n`);
    expect(statusComment(view({ requests: [request] }))).not.toContain("stale");
  });

  test("says what is in the way of a test, and nothing of that once it has ended", () => {
    const trouble = "drone.example.org: no answer within 15 s";
    expect(statusComment(view({ trouble }))).toContain(
      "\n\nIt waits: drone&#46;example&#46;org&#58;\u200b no answer within 15 s.\n\n",
    );
    expect(statusComment(view({ requests: [ended("passed")], trouble }))).not.toContain("waits");
  });

  test("tells of five tests before the newest one", () => {
    const requests = [1, 2, 3, 4, 5, 6, 7, 8].map((build) => ended("passed", { build }));
    const text = statusComment(view({ requests: [running, ...requests] }));
    expect([...text.matchAll(/^- .*build (\d)\]/gm)].map(([, build]) => build)).toEqual([
      ...["1", "2", "3", "4", "5"],
    ]);
  });

  test("has room for so much of what others say", () => {
    const long = "x".repeat(4096);
    const failed = ended("failed", {
      reason: long,
      stages: [stage("health", "failed", { reason: long })],
    });
    const text = statusComment(view({ requests: [failed], lastLines: [long, long] }));
    expect(text.match(/x{100,}…/g)?.map(({ length }) => length)).toEqual([600, 600, 300, 300]);
  });

  test("has the same shape whatever others say in it", () => {
    const page = (texts: readonly [string, string, string, string, string]) => {
      const [reason, why, trouble, ...lastLines] = texts;
      const stages = [stage("health", "failed", { reason: why }), stage("backup", "passed")];
      return [
        statusComment(
          view({ requests: [ended("failed", { reason, stages }), running], lastLines }),
        ),
        statusComment(view({ requests: [{ ...running, reason, stages }], trouble })),
      ].join("\n\n");
    };
    const usual = page(["x", "x", "x", "x", "x"]);
    fc.assert(
      fc.property(fc.tuple(visible, visible, visible, visible, visible), (texts) => {
        expect(shapeOf(page(texts))).toEqual(shapeOf(usual));
        expect(readComment(page(texts)).as).not.toBe("command");
      }),
      { numRuns: 300 },
    );
  });
});

describe("the answer to who asks what is going on", () => {
  const reply = (changes: Partial<Parameters<typeof statusReply>[0]> = {}) =>
    statusReply({
      newest: undefined,
      goingOn: 0,
      stopped: undefined,
      linkOf: view().linkOf,
      ...changes,
    });

  test.for<readonly [string, Parameters<typeof reply>[0], string]>([
    [
      "nothing was tested",
      {},
      "Nothing was tested here yet.\n\n0 tests wait or run over all recipes.",
    ],
    [
      "one test waits",
      { newest: accepted, goingOn: 1 },
      `🕐 accepted · ${head}\n\nOne test waits or runs over all recipes.`,
    ],
    [
      "one ended, and others go on",
      { newest: ended("passed"), goingOn: 7 },
      `✅ passed after 3 min 12 s · ${head} · [build 12](https://drone.example.org/ci/cc-ci/12)\n\n7 tests wait or run over all recipes.`,
    ],
    [
      "no test is taken",
      { stopped: "" },
      "Nothing was tested here yet.\n\n0 tests wait or run over all recipes.\n\nNo tests are taken at the moment.",
    ],
    [
      "no test is taken, and why",
      { stopped: "disk of @host | full" },
      "Nothing was tested here yet.\n\n0 tests wait or run over all recipes.\n\nNo tests are taken at the moment: disk of &#64;\u200bhost &#124; full.",
    ],
  ])("says that %s", ([, changes, expected]) => {
    expect(reply(changes)).toBe(expected);
  });

  test("has the same shape whatever the operator wrote", () => {
    const shape = shapeOf(reply({ stopped: "x" }));
    fc.assert(
      fc.property(visible, (stopped) => {
        expect(shapeOf(reply({ stopped }))).toEqual(shape);
      }),
    );
  });
});

describe("an answer to a comment", () => {
  test.for<readonly [Refusal, string]>([
    [
      { why: "not-a-member", organisation: "co_op | @all" },
      "Only members of co&#95;op &#124; &#64;\u200ball can ask for a test: please ask one of them.",
    ],
    [
      { why: "not-in-team" },
      "Only some people of this organisation can ask for a test: please ask one of them.",
    ],
    [
      { why: "late", minutes: 17 },
      "This was read only 17 minutes after it was written, so nothing was done. Please write it again.",
    ],
    [{ why: "closed" }, "This pull request is closed: reopen it to have it tested."],
    [
      { why: "other-branch", into: "@all | next", mainBranch: "main" },
      "This is to be merged into &#64;\u200ball &#124; next, and only what is for main is tested. Change the branch with *Edit*, next to the title.",
    ],
    [
      { why: "other-head", head },
      `That commit is not the newest one here, which is \`${head}\`. Nothing was tested.`,
    ],
    [{ why: "fork" }, "Pull requests from forks are not tested here."],
    [
      { why: "fork-without-commit", head },
      `This comes from a fork. Please look at it, and name the commit that you looked at: \`!testme ${head}\` for the newest one.`,
    ],
    [
      { why: "too-many-of-person", most: 1 },
      "You have asked for as many tests as one person may within an hour (1). Please try again later.",
    ],
    [
      { why: "too-many-of-pull", most: 1 },
      "As many tests were asked for here as may be within an hour (1). Please try again later.",
    ],
    [
      { why: "too-many-waiting", most: 1 },
      "As many tests wait or run as may at once (1). Please try again later.",
    ],
    [{ why: "stopped", reason: "" }, "No tests are taken at the moment. Please try again later."],
    [
      { why: "stopped", reason: "`disk` of @host" },
      "No tests are taken at the moment: &#96;disk&#96; of &#64;\u200bhost. Please try again later.",
    ],
    [{ why: "goes-on", head, link: undefined }, `A test of ${head} goes on already.`],
    [
      { why: "goes-on", head, link: "https://drone.example.org/ci/cc-ci/12" },
      `A test of ${head} goes on already: https://drone.example.org/ci/cc-ci/12.`,
    ],
  ])("says why there is no test: %j", ([refused, expected]) => {
    expect(refusal(refused)).toBe(expected);
  });

  test("says that something was pushed, and what to do", () => {
    expect(refusal({ why: "pushed", head })).toMatch(
      new RegExp(`^Something was pushed .* name it: \`!testme ${head}\`\\.$`),
    );
  });

  test.for(["word", "option", "short-commit", "several"] as const)(
    "says to who missed by %s what there is",
    (miss) => {
      expect(nearMiss(miss)).toMatch(
        /^[A-Z].*[.] There are `!testme`, .*`!testme help` says more\.$/,
      );
    },
  );

  test("never is a command itself, whoever writes it", () => {
    const refusals: readonly Refusal[] = [
      { why: "fork-without-commit", head },
      { why: "stopped", reason: "!testme" },
      { why: "not-a-member", organisation: "!testme" },
    ];
    const misses = (["word", "option", "short-commit", "several"] as const).map(nearMiss);
    for (const text of [help, nothingToCancel, ...refusals.map(refusal), ...misses]) {
      expect(readComment(text)).toEqual({ as: "talk" });
    }
  });

  test("names in its help what can be written, and nothing else", () => {
    const named = [...help.matchAll(/^\| `(.*?)` \|/gm)].map(([, text = ""]) => text);
    expect(named).toHaveLength(6);
    for (const text of named) {
      expect(readComment(text.replace("<commit>", head))).toMatchObject({ as: "command" });
    }
  });
});
