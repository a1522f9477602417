import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AskedFor } from "../../../services/bridge/records/commands.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import type { End, NewRequest } from "../../../services/bridge/records/requests.ts";
import type { RunResults } from "../../../services/lib/run.ts";
import { makeScratch } from "../../scratch.ts";

let scratch = "";
let records: Records;

beforeEach(() => {
  scratch = makeScratch();
  records = new Records(":memory:");
});

afterEach(() => {
  records.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** At which all is due. */
const whenever = { now: 0, longest: 0 };

const head = "0123456789abcdef0123456789abcdef01234567";

const asked = (comment: number, changes: Partial<AskedFor> = {}): AskedFor => ({
  ...{ comment, repository: "recipes/wiki", pull: 3, author: 11, login: "somebody" },
  ...{ text: "!testme", writtenAt: 1000 + comment },
  ...changes,
});

const wanted = (comment: number, changes: Partial<NewRequest> = {}): NewRequest => ({
  ...{ id: comment.toString(16).padStart(16, "0"), comment, repository: "recipes/wiki", pull: 3 },
  ...{ author: 11, recipe: "wiki", head, quick: false, isNamed: true, writtenAt: 1000 },
  ...changes,
});

describe("what is remembered of comments", () => {
  test("is each of them once, as it was first seen", () => {
    expect(records.commands.takeIn(asked(7), 2000)).toBe(true);
    expect(records.commands.takeIn(asked(7, { text: "!testme cancel" }), 3000)).toBe(false);
    expect(records.commands.unjudged(10, whenever)).toEqual([asked(7)]);
    expect(records.commands.knows(7)).toBe(true);
    expect(records.commands.knows(8)).toBe(false);
  });

  test("is any text at all", () => {
    const text = "a\u0000b'\"; DROP TABLE commands; --\r\n\u{1f600}";
    records.commands.takeIn(asked(7, { text }), 2000);
    expect(records.commands.unjudged(1, whenever)[0]?.text).toBe(text);
  });

  test("is judged in the order in which it was written, and once", () => {
    for (const comment of [9, 7, 8]) records.commands.takeIn(asked(comment), 2000);
    const waiting = (limit: number) =>
      records.commands.unjudged(limit, whenever).map(({ comment }) => comment);
    expect(waiting(10)).toEqual([7, 8, 9]);
    expect(waiting(2)).toEqual([7, 8]);
    records.commands.judge(7, "accepted", 3000);
    expect(waiting(10)).toEqual([8, 9]);
    expect(records.commands.countUnjudged()).toBe(2);
    expect(records.commands.knows(7)).toBe(true);
  });

  test("is how often somebody was told something in a place", () => {
    const others: readonly Partial<AskedFor>[] = [
      {},
      { author: 12 },
      { pull: 4 },
      { repository: "recipes/x" },
    ];
    for (const [index, other] of others.entries()) {
      records.commands.takeIn(asked(index + 1, other), 2000);
      records.commands.judge(index + 1, "helped", 3000);
    }
    const count = (verdict: "helped" | "refused", since: number) =>
      records.commands.countAnswers(asked(9), verdict, since);
    expect(count("helped", 3000)).toBe(1);
    expect(count("helped", 3001)).toBe(0);
    expect(count("refused", 0)).toBe(0);
  });

  test("is forgotten once it was judged long ago, and not before", () => {
    for (const comment of [7, 8, 9]) records.commands.takeIn(asked(comment), 2000);
    records.commands.judge(7, "answered", 3000);
    records.commands.judge(8, "answered", 4000);
    records.commands.forget(4000);
    expect([7, 8, 9].map((comment) => records.commands.knows(comment))).toEqual([
      ...[false, true, true],
    ]);
  });
});

describe("what is remembered of a test", () => {
  const { id: first } = wanted(7);
  const find = () => records.requests.find(first);

  beforeEach(() => records.requests.accept(wanted(7), 2000));

  test("is what it is about, from the moment in which it was accepted", () => {
    expect(find()).toEqual({
      ...{ ...wanted(7), phase: "accepted", acceptedAt: 2000, askedAt: null, build: null },
      ciCommit: null,
      ...{ begunAt: null, place: null, queue: null, ending: null, outcome: null, reason: null },
      ...{ stages: [], endedAt: null },
    });
    expect(records.requests.find("f".repeat(16))).toBeUndefined();
  });

  test("is its whole life", () => {
    records.requests.ask(first, "c".repeat(40), 3000);
    expect(find()).toMatchObject({ phase: "asking", ciCommit: "c".repeat(40), askedAt: 3000 });
    records.requests.found(first, 12);
    expect(find()).toMatchObject({ phase: "building", build: 12 });
    records.requests.waits(first, 2, 5);
    expect(find()).toMatchObject({ place: 2, queue: 5 });
    records.requests.begins(first, 4000);
    expect(find()).toMatchObject({ begunAt: 4000, place: null, queue: null });
    const stages: RunResults["stages"] = [
      {
        ...{ name: "install", status: "failed", reason: "the page said 500" },
        ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:01:40.000Z" },
      },
    ];
    expect(records.requests.end(first, { outcome: "failed", reason: "no", stages }, 5000)).toBe(
      true,
    );
    expect(find()).toMatchObject({
      ...{ phase: "ended", outcome: "failed", reason: "no", stages, endedAt: 5000 },
    });
  });

  test("is the end that it had first", () => {
    records.requests.end(first, { outcome: "passed", reason: null, stages: [] }, 5000);
    const late: End = { outcome: "broken", reason: "no", stages: [] };
    expect(records.requests.end(first, late, 6000)).toBe(false);
    expect(find()).toMatchObject({ outcome: "passed", reason: null, endedAt: 5000 });
  });

  test("is the first reason to end it", () => {
    records.requests.endBy(first, "superseded");
    records.requests.endBy(first, "cancelled");
    expect(find()?.ending).toBe("superseded");
  });

  test("is asked for again only where it was being asked for", () => {
    records.requests.ask(first, "c".repeat(40), 3000);
    records.requests.askAgain(first);
    expect(find()?.phase).toBe("accepted");
    records.requests.found(first, 12);
    records.requests.askAgain(first);
    expect(find()).toMatchObject({ phase: "building", build: 12 });
  });

  test("is whether there may be a build of it that nobody waits for, after its end too", () => {
    records.requests.accept(wanted(8), 1000);
    records.requests.doubt(first);
    records.requests.end(first, { outcome: "broken", reason: "no", stages: [] }, 5000);
    expect(records.requests.inDoubt().map(({ id }) => id)).toEqual([first]);
    records.requests.settle(first);
    expect(records.requests.inDoubt()).toEqual([]);
  });

  test("is one for each comment", () => {
    expect(() => records.requests.accept(wanted(7, { id: "f".repeat(16) }), 3000)).toThrow(
      "UNIQUE",
    );
    expect(() => records.requests.accept(wanted(8, { id: first }), 3000)).toThrow("UNIQUE");
    expect(records.requests.countGoingOn()).toBe(1);
  });

  test("is which others there are, and how many", () => {
    records.requests.accept(wanted(8, { pull: 4, quick: true, isNamed: false }), 2000);
    records.requests.accept(wanted(9, { author: 12 }), 1000);
    records.requests.accept(wanted(10, { repository: "recipes/x" }), 3000);
    const { requests } = records;
    const comments = (all: readonly { readonly comment: number }[]) =>
      all.map(({ comment }) => comment);
    expect(comments(requests.goingOn())).toEqual([9, 7, 8, 10]);
    expect(comments(requests.ofPull("recipes/wiki", 3, 10))).toEqual([7, 9]);
    expect(comments(requests.ofPull("recipes/wiki", 3, 1))).toEqual([7]);
    expect(requests.find(wanted(8).id)).toMatchObject({ quick: true, isNamed: false });
    expect(requests.countOfAuthor(11, 0)).toBe(3);
    expect(requests.countOfAuthor(11, 2001)).toBe(1);
    expect(requests.countOfPull("recipes/wiki", 3, 1000)).toBe(2);
    expect(requests.countOfPull("recipes/wiki", 3, 1001)).toBe(1);
    requests.end(first, { outcome: "passed", reason: null, stages: [] }, 5000);
    expect(comments(requests.goingOn())).toEqual([9, 8, 10]);
    expect(requests.countGoingOn()).toBe(3);
    // What ended counts all the same.
    expect(requests.countOfAuthor(11, 0)).toBe(3);
  });

  test("is forgotten once it ended long ago, and not before", () => {
    records.requests.accept(wanted(8), 2000);
    records.requests.end(first, { outcome: "passed", reason: null, stages: [] }, 5000);
    records.requests.forget(5000);
    expect(find()).toBeDefined();
    records.requests.forget(5001);
    expect(find()).toBeUndefined();
    expect(records.requests.countGoingOn()).toBe(1);
  });
});

describe("what is remembered of answers", () => {
  const reply = (comment: number, body: string) => ({
    ...{ comment, repository: "recipes/wiki", pull: 3, writtenAt: 1000, body },
  });

  test("is the first one to each comment, until it is posted", () => {
    const { answers } = records;
    answers.reply(reply(8, "one"));
    answers.reply(reply(8, "another"));
    answers.reply(reply(7, "two"));
    answers.tries(8, 2000);
    expect(answers.unposted()).toEqual([
      { ...reply(7, "two"), triedAt: null },
      { ...reply(8, "one"), triedAt: 2000 },
    ]);
    expect(answers.countOwed()).toBe(2);
    answers.posted(8, 20);
    // Where it can be given no more, too.
    answers.posted(7, 0);
    answers.reply(reply(8, "again"));
    expect(answers.unposted()).toEqual([]);
    expect(answers.countOwed()).toBe(0);
  });

  test("is the reaction that a comment has, and the one that it is to have", () => {
    const { answers } = records;
    answers.react(7, "recipes/wiki", "eyes");
    expect(answers.owedReactions()).toEqual([
      { comment: 7, repository: "recipes/wiki", wanted: "eyes", given: null },
    ]);
    answers.reacted(7, "eyes");
    expect(answers.owedReactions()).toEqual([]);
    answers.react(7, "recipes/wiki", "+1");
    expect(answers.owedReactions()).toMatchObject([{ wanted: "+1", given: "eyes" }]);
    answers.react(7, "recipes/wiki", "eyes");
    expect(answers.owedReactions()).toEqual([]);
    answers.react(7, "recipes/wiki", "-1");
    answers.forgetReaction(7);
    expect(answers.countOwed()).toBe(0);
  });

  test("is of each pull request which comment tells of it, and what that says", () => {
    const { answers } = records;
    const told = () => answers.told("recipes/wiki", 3);
    expect(told()).toBeUndefined();
    answers.noteHead("recipes/wiki", 3, head, 2000);
    expect(told()).toMatchObject({ head, comment: null, said: null, changedAt: 2000 });
    answers.said({ repository: "recipes/wiki", pull: 3, changedAt: 2000 }, 20, "digest");
    const newer = "f".repeat(40);
    answers.noteHead("recipes/wiki", 3, newer, 3000);
    expect(told()).toMatchObject({ head: newer, comment: 20, said: "digest", changedAt: 3000 });
    answers.said({ repository: "recipes/wiki", pull: 3, changedAt: 3000 }, null, null);
    expect(told()).toMatchObject({ head: newer, comment: null, said: null });
  });

  test("is which pull requests changed of late, or have a change that was not told", () => {
    const { answers } = records;
    const changed = (since: number) => answers.changedSince(since).map(({ pull }) => pull);
    // Where nothing is told of, nothing changes.
    answers.changed("recipes/wiki", 3, 1500);
    expect(changed(0)).toEqual([]);
    answers.noteHead("recipes/wiki", 3, head, 2000);
    answers.noteHead("recipes/wiki", 4, head, 4000);
    answers.changed("recipes/wiki", 3, 5000);
    expect(changed(9000)).toEqual([4, 3]);
    answers.said({ repository: "recipes/wiki", pull: 4, changedAt: 4000 }, 20, "digest");
    expect(changed(9000)).toEqual([3]);
    // A change that came while another was told is told later.
    answers.said({ repository: "recipes/wiki", pull: 3, changedAt: 2000 }, 21, "digest");
    expect(changed(9000)).toEqual([3]);
    answers.said({ repository: "recipes/wiki", pull: 3, changedAt: 5000 }, 21, "digest");
    expect(changed(9000)).toEqual([]);
    expect(changed(5000)).toEqual([3]);
    expect(changed(4000)).toEqual([4, 3]);
  });
});

describe("what is remembered of what is new", () => {
  test("is up to when we asked", () => {
    const { cursors } = records;
    expect(cursors.at("search")).toBeUndefined();
    cursors.move("search", 2000);
    cursors.move("search", 3000);
    expect(cursors.at("search")).toBe(3000);
    // Where a clock was wrong.
    cursors.move("search", 1000);
    expect(cursors.at("search")).toBe(1000);
    expect(cursors.at("first")).toBeUndefined();
  });

  test("is in its turn where nothing of it waits to be tried again", () => {
    const { attempts, commands, cursors } = records;
    const failed = (duty: "nudge" | "judge", item: string, nextAt: number, noes = 1) =>
      attempts.failed({
        ...{ duty, item, nextAt, noes, tries: 1, since: 0, trouble: "x", isParked: false },
      });
    const time = { now: 1000, longest: 500 };
    for (const comment of [7, 8, 9, 10]) {
      cursors.nudge({ repository: "recipes/wiki", kind: "comment", number: comment });
      commands.takeIn(asked(comment, { pull: comment === 10 ? 4 : 3 }), 500);
    }
    const nudges = () => cursors.nudges(10, time).map(({ number }) => number);
    const unjudged = () => commands.unjudged(10, time).map(({ comment }) => comment);
    failed("nudge", "comment recipes/wiki 7", 1200);
    failed("nudge", "comment recipes/wiki 8", 1000);
    // as only a clock that went back can have it
    failed("nudge", "comment recipes/wiki 9", 1501);
    expect(nudges()).toEqual([8, 9, 10]);
    expect(attempts.nextAt("nudge", time)).toBe(1200);
    expect(attempts.nextAt("judge", time)).toBeUndefined();
    // after a no, what was written later does not wait
    failed("judge", "7", 1200);
    expect(unjudged()).toEqual([8, 9, 10]);
    // after a silence, it does on the same pull request
    failed("judge", "7", 1200, 0);
    expect(unjudged()).toEqual([10]);
  });

  test("is each comment that we were told of, until it is followed", () => {
    const { cursors } = records;
    const of = (repository: string, number: number) => ({
      ...{ repository, kind: "comment" as const, number },
    });
    for (const number of [9, 7, 9, 8]) cursors.nudge(of("recipes/wiki", number));
    cursors.nudge(of("recipes/x", 7));
    cursors.nudge({ ...of("recipes/wiki", 7), kind: "push" });
    expect(cursors.nudges(10, whenever)).toHaveLength(5);
    expect(cursors.nudges(2, whenever).map(({ number }) => number)).toEqual([7, 7]);
    for (const each of cursors.nudges(10, whenever)) {
      if (each.repository === "recipes/wiki") cursors.followed(each);
    }
    expect(cursors.nudges(10, whenever)).toMatchObject([of("recipes/x", 7)]);
  });

  test("is there still when we were told of it again while it was followed", () => {
    const { cursors } = records;
    const push = { repository: "recipes/wiki", kind: "push", number: 1 } as const;
    cursors.nudge(push);
    const [first] = cursors.nudges(1, whenever);
    cursors.nudge(push);
    cursors.followed({ id: first?.id ?? 0 });
    expect(cursors.nudges(10, whenever)).toMatchObject([push]);
  });
});

test("what was tried long ago is forgotten, and counts no more", () => {
  const failed = (item: string, since: number, isParked: boolean) =>
    records.attempts.failed({
      ...{ duty: "reply", item, tries: 1, noes: 1, since, nextAt: since, trouble: "no", isParked },
    });
  failed("7", 1000, true);
  failed("8", 2000, true);
  failed("9", 2000, false);
  expect(records.attempts.countParked(0)).toBe(2);
  records.attempts.forget(2000);
  expect(records.attempts.countParked(0)).toBe(1);
  records.attempts.succeeded("reply", "9");
  expect(records.attempts.find("reply", "9")).toBeUndefined();
  expect(records.attempts.find("reply", "8")).toMatchObject({ since: 2000, isParked: true });
});

test("what is noted together lasts together, or not at all", () => {
  const path = join(scratch, "bridge.sqlite");
  const before = new Records(path);
  const note = (comment: number) => {
    before.commands.takeIn(asked(comment), 2000);
    before.requests.accept(wanted(comment), 2000);
    before.answers.react(comment, "recipes/wiki", "eyes");
  };
  before.together(() => note(7));
  expect(() =>
    before.together(() => {
      note(8);
      note(7);
    }),
  ).toThrow("UNIQUE");
  before.close();
  const after = new Records(path);
  expect(after.commands.unjudged(10, whenever)).toEqual([asked(7)]);
  expect(after.requests.countGoingOn()).toBe(1);
  expect(after.answers.owedReactions()).toHaveLength(1);
  after.close();
});
