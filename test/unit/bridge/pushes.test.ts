import { describe, expect, test } from "vitest";
import type { Bridge } from "../../../services/bridge/pipeline/bridge.ts";
import { newestAt } from "../../../services/bridge/pipeline/pushes.ts";
import type { Pull, PullEvent } from "../../../services/lib/forge/schemas.ts";

const opened = Date.parse("2026-01-05T10:00:00Z");
const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(40));

const at = (seconds: number) => new Date(opened + seconds * 1000);

const pullAt = (head = first): Pull => ({
  ...{ number: 3, isOpen: true, createdAt: at(0), isForeign: false },
  ...{ head: head ?? "", base: "recipes/wiki", into: "main", mainBranch: "main" },
});

const push = (id: number, seconds: number, pushed = first): PullEvent => ({
  ...{ id, type: "pull_push", createdAt: at(seconds), pushed },
});

const other = (id: number, seconds: number): PullEvent => ({
  ...{ id, type: "comment", createdAt: at(seconds), pushed: undefined },
});

/** Was written a minute after the pull request was opened. */
const asked = { comment: 50, writtenAt: at(60).getTime() };
const itself = other(asked.comment, 60);

/** Asks about a pull request of which that happened, page by page. */
async function ask(pages: readonly (readonly PullEvent[])[], head = first, what = asked) {
  const seen: number[] = [];
  const eventsOf = async (_slug: string, _pull: number, { page }: { readonly page: number }) => {
    seen.push(page);
    return pages[page - 1] ?? [];
  };
  const bridge = { forge: { eventsOf } } as unknown as Pick<Bridge, "forge">;
  return { newest: await newestAt(bridge, pullAt(head), what), pages: seen.length };
}

describe("the newest commit was so when the comment was written", () => {
  test.for<readonly [string, readonly PullEvent[], string | undefined]>([
    ["when nothing was pushed since the opening", [push(1, 1), itself], first],
    ["when it was pushed before", [push(1, 1), push(2, 30, second), itself], second],
    ["when others wrote meanwhile", [push(1, 1), other(2, 10), itself, other(51, 61)], first],
    [
      "when it was pushed, replaced, and pushed again before",
      [push(1, 1), push(2, 10, second), push(3, 20, first), itself],
      first,
    ],
  ])("%s", async ([, events, head]) => {
    expect(await ask([events], head)).toEqual({ newest: "then", pages: 1 });
  });

  test("when its opening is written down only after the comment", async () => {
    const young = { comment: 50, writtenAt: at(1).getTime() };
    expect(await ask([[other(50, 1), push(51, 2)]], first, young)).toMatchObject({
      newest: "then",
    });
    expect(await ask([[other(50, 1)], [push(51, 2)]], first, young)).toMatchObject({
      newest: "then",
    });
  });
});

describe("it came since then", () => {
  test.for<readonly [string, readonly PullEvent[], string | undefined]>([
    ["when it was pushed after the comment", [push(1, 1), itself, push(51, 61, second)], second],
    ["in the very second", [push(1, 1), push(49, 60, second), itself], second],
    [
      "by a time before it, and a number after it",
      [push(1, 1), itself, push(51, 60, first)],
      second,
    ],
    [
      "when an older commit came back",
      [push(1, 1), push(2, 30, second), itself, push(51, 70, first)],
      first,
    ],
    ["when the opening is not told of at all", [itself, push(51, 70, second)], second],
  ])("%s", async ([, events, head]) => {
    expect(await ask([events], head)).toMatchObject({ newest: "since" });
  });

  test("as far as anybody can tell of one with more than is read", async () => {
    const pages = Array.from({ length: 100 }, (_, index) => [push(1 + index, 1 + index / 10)]);
    expect(await ask([...pages, [itself]])).toEqual({ newest: "since", pages: 40 });
  });
});

describe("what the forge does not say is taken for no yes", () => {
  test.for<readonly [string, readonly PullEvent[], string | undefined]>([
    ["of a push that is not written down yet", [push(1, 1), itself], second],
    ["of one while it was closed", [push(1, 1), push(2, 9, second), itself], third],
    [
      "of a push that does not say what",
      [push(1, 1), { ...push(2, 9), pushed: undefined }, itself],
      first,
    ],
  ])("%s", async ([, events, head]) => {
    expect(await ask([events], head)).toMatchObject({ newest: "not-told" });
  });
});

test("a page of which the forge shows nothing hides no push behind it", async () => {
  const events = [[push(1, 1)], [], [], [push(2, 30, second)], [], [itself]];
  expect(await ask(events, second)).toMatchObject({ newest: "then" });
  expect(await ask(events, first)).toMatchObject({ newest: "not-told" });
});
