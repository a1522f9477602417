import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeScratch } from "../../scratch.ts";
import { type FakeComment, type FakePull, wordsFor } from "./model/fake-forge.ts";
import { type Choice, Pipeline } from "./model/pipeline.ts";
import { begun } from "./model/steps.ts";

const ann = { id: 10, login: "ann" };
const ben = { id: 11, login: "ben" };

let scratch = "";
let pipeline: Pipeline;

async function start(changes: Partial<Choice> = {}): Promise<void> {
  const usual = { mode: "poll", forks: "accepted", isLogPublic: true, isTight: false } as const;
  pipeline = new Pipeline(join(scratch, "bridge.sqlite"), { ...usual, ...changes });
  await begun(pipeline);
}

beforeEach(() => {
  scratch = makeScratch();
});

afterEach(() => {
  pipeline.close();
  rmSync(scratch, { recursive: true, force: true });
});

const pullAt = (index: number): FakePull => pipeline.pullAt(index);

const ask = (pull = pullAt(0), who = ann, kind: Parameters<typeof wordsFor>[1] = "test") =>
  pipeline.forge.write(pull, who, wordsFor(pull, kind));

const verdictOn = ({ id }: FakeComment) => pipeline.witness.judged.get(id)?.verdict;

/** The answers to single comments, not what tells of the tests. */
const replies = () =>
  [...pipeline.forge.comments.values()]
    .filter(({ user, body }) => user.login === "ci-bot" && body.includes("answer to"))
    .map(({ body }) => body);

test("a cancel ends no test that was asked for after it, in whatever order the two are read", async () => {
  await start({ mode: "webhook" });
  // given
  const [cancel, later] = [ask(pullAt(0), ann, "cancel"), ask()];
  const { repository } = pullAt(0);
  // when
  for (const { id } of [later, cancel]) {
    await pipeline.nudge({ repository, kind: "comment", number: id });
    await pipeline.goOn(2000);
  }
  // then
  expect(verdictOn(later)).toBe("accepted");
  expect(verdictOn(cancel)).toBe("answered");
  expect(pipeline.records.requests.goingOn()).toMatchObject([{ comment: later.id, ending: null }]);
});

describe("at a limit", () => {
  test("who asks again for what is tested is told where", async () => {
    await start({ isTight: true });
    // given
    ask(pullAt(0));
    ask(pullAt(1));
    await pipeline.goOn(60_000);
    // when
    const again = ask(pullAt(0));
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(again)).toBe("answered");
    expect(replies()).toEqual([expect.stringContaining("goes on already")]);
  });

  test("of those that wait, a newer commit takes the place of its own", async () => {
    await start({ isTight: true });
    pipeline.forge.members.add(ben.login);
    // given
    const first = ask(pullAt(0), ann);
    ask(pullAt(1), ann);
    await pipeline.goOn(60_000);
    // when
    pipeline.forge.push(pullAt(0), 0, false);
    pipeline.clock.pass(5000);
    const second = ask(pullAt(0), ben);
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(second)).toBe("accepted");
    expect(
      pipeline.records.requests.ofPull(pullAt(0).repository, pullAt(0).number, 9),
    ).toMatchObject([
      { comment: second.id, outcome: null },
      { comment: first.id, outcome: "superseded" },
    ]);
  });
});

test("what almost was a command is passed over when it is read late", async () => {
  await start();
  // given
  pipeline.forge.trouble.mood = "silent";
  const miss = ask(pullAt(0), ann, "miss");
  await pipeline.goOn(20 * 60_000);
  // when
  pipeline.forge.trouble.heal();
  await pipeline.goOn(600_000);
  // then
  expect(verdictOn(miss)).toBe("ignored");
  expect(replies()).toEqual([]);
});

test("a forge that knows no such reaction has the eyes taken back all the same", async () => {
  await start();
  // given
  pipeline.forge.unknownReactions.add("confused");
  const comment = ask();
  await pipeline.goOn(60_000);
  expect([...(comment.reactions.get("ci-bot") ?? [])]).toEqual(["eyes"]);
  // when
  ask(pullAt(0), ann, "cancel");
  await pipeline.goOn(120_000);
  // then
  expect([...(comment.reactions.get("ci-bot") ?? [])]).toEqual([]);
});

describe("a commit that cannot be fetched of the pull request", () => {
  test("is waited for, and then tested", async () => {
    await start();
    // given
    const pull = pullAt(0);
    pipeline.forge.behind.add(pull);
    const comment = ask(pull);
    await pipeline.goOn(30_000);
    expect(pipeline.drone.builds).toEqual([]);
    // when
    pipeline.forge.behind.clear();
    await pipeline.goOn(30_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
    expect(pipeline.drone.builds).toHaveLength(1);
  });

  test("is not tested when it stays so, whoever names it", async () => {
    await start();
    // given
    const pull = pullAt(0);
    pipeline.forge.behind.add(pull);
    // when
    const comment = ask(pull, ann, "named");
    await pipeline.goOn(120_000);
    // then
    expect(pipeline.drone.builds).toEqual([]);
    expect([...(comment.reactions.get("ci-bot") ?? [])]).toEqual(["confused"]);
    const [told] = pipeline.forge.saidBy({ id: 1, login: "ci-bot" }, pull);
    expect(told?.body).toContain("another commit at refs");
  });
});
