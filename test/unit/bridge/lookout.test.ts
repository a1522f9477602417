import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { overAll } from "../../../services/bridge/pipeline/paging.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";
import { makeScratch } from "../../scratch.ts";
import { type FakePull, wordsFor } from "./model/fake-forge.ts";
import { Pipeline } from "./model/pipeline.ts";
import { begun } from "./model/steps.ts";

const member = { id: 10, login: "ann" };

let scratch = "";
let pipeline: Pipeline;

function start(mode: "poll" | "webhook"): void {
  const choice = { mode, forks: "accepted", isLogPublic: true, isTight: false } as const;
  pipeline = new Pipeline(join(scratch, `${mode}.sqlite`), choice);
}

beforeEach(() => {
  scratch = makeScratch();
  start("poll");
});

afterEach(() => {
  pipeline.close();
  rmSync(scratch, { recursive: true, force: true });
});

const pullAt = (index: number): FakePull => pipeline.pullAt(index);

const ask = (pull = pullAt(0)) => pipeline.forge.write(pull, member, wordsFor(pull, "test"));

const verdictOn = ({ id }: { readonly id: number }) => pipeline.witness.judged.get(id)?.verdict;

describe("a look for what is new", () => {
  test("hears what comes after one time of the future", async () => {
    await begun(pipeline);
    // given
    const { clock } = pipeline;
    const pull = pullAt(1);
    pull.updatedAt = new Date(clock.now() + 365 * 24 * 3_600_000);
    await pipeline.goOn(60_000);
    pull.updatedAt = clock.second();
    // when
    const comment = ask();
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
  });

  test("hears what comes while a clock that was ahead is put back", async () => {
    await begun(pipeline);
    // given: what is remembered is of tomorrow
    const { clock, records } = pipeline;
    records.cursors.move("search", clock.now() + 24 * 3_600_000);
    // when
    const comment = ask();
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
  });

  test("leaves alone what was written before anybody listened, also when it looks further back", async () => {
    // given
    pipeline.forge.members.add(member.login);
    const pull = pipeline.forge.open("recipes/wiki", false);
    pipeline.clock.pass(60_000);
    const before = ask(pull);
    pipeline.clock.pass(60_000);
    // when
    await pipeline.goOn(60_000);
    pipeline.restart();
    await pipeline.goOn(40 * 60_000);
    // then
    expect(verdictOn(before)).toBeUndefined();
    const after = ask(pull);
    await pipeline.goOn(60_000);
    expect(verdictOn(after)).toBe("accepted");
  });

  test("hears all where the forge gives fewer for a page than others do", async () => {
    await begun(pipeline);
    // given
    pipeline.forge.largestPage = 3;
    for (let count = 0; count < 7; count += 1) pipeline.forge.open("recipes/blog", false);
    pipeline.clock.pass(60_000);
    // when
    const comments = pipeline.forge.pulls
      .filter(({ repository }) => repository === "recipes/blog")
      .map((pull) => ask(pull));
    await pipeline.goOn(60_000);
    // then
    expect(comments.map(verdictOn)).toEqual(comments.map(() => "accepted"));
  });

  test("hears others while somebody has a pull request that is too much to be read", async () => {
    await begun(pipeline);
    // given
    const fat = pullAt(1);
    pipeline.forge.fat.add(fat);
    const [comment, onFat] = [ask(), ask(fat)];
    // when
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
    expect(verdictOn(onFat)).toBe("accepted");
  });

  test("keeps none waiting for a hundred that the forge is strange about", async () => {
    await begun(pipeline);
    // given
    for (let count = 0; count < 120; count += 1) pipeline.forge.strange.add(ask(pullAt(1)).id);
    await pipeline.goOn(120_000);
    // when
    const comment = ask();
    await pipeline.goOn(30_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
  });

  test("goes on when the clock is put back by hours", async () => {
    await begun(pipeline);
    await pipeline.goOn(60_000);
    // given
    pipeline.clock.putBack(2 * 3_600_000);
    // when
    const comment = ask();
    await pipeline.goOn(60_000);
    // then
    expect(verdictOn(comment)).toBe("accepted");
  });
});

test("what was told of at once is gone through without a pause", async () => {
  pipeline.close();
  start("webhook");
  await begun(pipeline);
  await pipeline.goOn(60_000);
  // given
  const { clock, records } = pipeline;
  for (let count = 0; count < 130; count += 1) {
    const { id, repository } = ask(pullAt(1));
    await pipeline.nudge({ repository, kind: "comment", number: id });
  }
  // when
  const begunAt = clock.now();
  for (let next = begunAt; next <= clock.now(); ) next = await pipeline.forgeTurn();
  // then
  expect(records.commands.countUnjudged()).toBe(0);
  expect(records.cursors.nudges(1, { now: 0, longest: 0 })).toEqual([]);
  expect(clock.now() - begunAt).toBeLessThan(60_000);
});

describe("a list of the forge's", () => {
  /** Of which these are too much by themselves, and pages with one of them. */
  const listOf = (length: number, tooMuch: readonly number[]) => {
    let asked = 0;
    const read = async ({ page, limit }: { readonly page: number; readonly limit: number }) => {
      asked += 1;
      const first = (page - 1) * limit;
      const count = Math.max(0, Math.min(limit, length - first));
      const items = Array.from({ length: count }, (_, index) => first + index);
      if (items.some((item) => tooMuch.includes(item))) throw new ForgeRefusal("too-long", "x");
      return items;
    };
    return { read, asked: () => asked };
  };

  test.for<readonly [number, readonly number[]]>([
    [0, []],
    [9, []],
    [10, []],
    [11, []],
    [25, [3]],
    [25, [0, 9, 10, 24]],
    [25, [19, 20]],
    [10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])("of %i is read but for what is too much: %j", async ([length, tooMuch]) => {
    const seen: number[] = [];
    const { read } = listOf(length, tooMuch);
    const skipped = await overAll({ read, limit: 10, take: (items) => seen.push(...items) });
    const all = Array.from({ length }, (_, index) => index);
    expect(seen).toEqual(all.filter((item) => !tooMuch.includes(item)));
    expect(skipped).toBe(tooMuch.length);
  });

  test("that has no end is no list", async () => {
    const { read, asked } = listOf(1_000_000, []);
    const reading = overAll({ read, limit: 10, take: () => undefined });
    await expect(reading).rejects.toMatchObject({ trouble: "broken" });
    expect(asked()).toBe(2000);
  });
});
