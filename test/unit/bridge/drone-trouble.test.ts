import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Request } from "../../../services/bridge/records/requests.ts";
import type { FakeBuild, StartMood } from "./model/fake-drone.ts";
import { bot, commitOf, type FakeComment, type FakePull, wordsFor } from "./model/fake-forge.ts";
import { Pipeline } from "./model/pipeline.ts";
import { begun } from "./model/steps.ts";

const member = { id: 10, login: "ann" };
const second = 1000;
const minute = 60 * second;

let folder = "";
let pipeline: Pipeline;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cc-ci-drone-trouble-"));
  const choice = { mode: "poll", forks: "accepted", isLogPublic: true, isTight: false } as const;
  pipeline = new Pipeline(join(folder, "bridge.sqlite"), choice);
  await begun(pipeline);
});

afterEach(() => {
  pipeline.close();
  rmSync(folder, { recursive: true, force: true });
});

function pullAt(index: number): FakePull {
  const pull = pipeline.forge.pulls[index];
  if (pull === undefined) throw new Error("there is no such pull request");
  return pull;
}

function write(kind: "test" | "cancel" = "test", index = 0): FakeComment {
  return pipeline.forge.write(pullAt(index), member, wordsFor(pullAt(index), kind));
}

function requestOf({ repository, pull }: FakeComment): Request {
  const [request] = pipeline.records.requests.ofPull(repository, pull ?? 0, 1);
  if (request === undefined) throw new Error("there is no test of it");
  return request;
}

function said({ repository, pull }: FakeComment): string {
  const [status] = [...pipeline.forge.comments.values()].filter(
    (each) => each.user.id === bot.id && each.repository === repository && each.pull === pull,
  );
  return status?.body ?? "";
}

function statuses(): readonly FakeBuild["status"][] {
  return pipeline.drone.builds.map(({ status }) => status);
}

/** Asks for a test that Drone will not begin, however often it is asked to. */
function asked(start: StartMood): FakeComment {
  pipeline.drone.start = start;
  pipeline.drone.usualStart = start;
  return write();
}

async function goOnUntil(isEnough: () => boolean): Promise<void> {
  await pipeline.goOn(2 * minute, { isEnough });
  expect(isEnough()).toBe(true);
}

/** Asks for a test whose start leads to nothing that the bridge hears of. */
async function askedInDoubt(start: "failing-after" | "failing-before"): Promise<FakeComment> {
  pipeline.drone.start = start;
  const comment = write();
  await goOnUntil(() => pipeline.forge.comments.size > 1 && requestOf(comment).phase === "asking");
  return comment;
}

async function askedAndBuilding(index = 0): Promise<FakeComment> {
  const comment = write("test", index);
  const { length } = pipeline.drone.builds;
  await goOnUntil(() => pipeline.drone.builds.length > length);
  return comment;
}

describe("a start", () => {
  test("[12] of a test whose records were lost is none, where its build is there", async () => {
    // given
    const comment = await askedAndBuilding();
    // when
    pipeline.loseRecords();
    await pipeline.forgeTurn();
    await pipeline.nudge({ repository: comment.repository, kind: "comment", number: comment.id });
    await pipeline.goOn(5 * minute, { isBuilt: true });
    // then
    expect(pipeline.drone.builds).toHaveLength(1);
    expect(requestOf(comment)).toMatchObject({ outcome: "passed", build: 1 });
  });

  test("[10] of a test whose records were lost does not count at another commit than would be asked for", async () => {
    // given
    const comment = await askedAndBuilding();
    // when
    pipeline.loseRecords();
    pipeline.forge.branchHead = commitOf("ci 2");
    await pipeline.forgeTurn();
    await pipeline.nudge({ repository: comment.repository, kind: "comment", number: comment.id });
    await pipeline.goOn(minute);
    // then
    expect(statuses()).toEqual(["killed"]);
    expect(requestOf(comment)).toMatchObject({ outcome: "broken" });
  });

  test("that nobody took leaves no doubt, and is made again at once", async () => {
    // given
    pipeline.drone.start = "unsent";
    const comment = write();
    // when
    await pipeline.goOn(40 * second);
    // then
    expect(pipeline.drone.builds).toHaveLength(1);
    expect(requestOf(comment)).toMatchObject({ phase: "building" });
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });

  test("[19] that Drone will not make is tried for half an hour, with why in the comment all the time and in the end", async () => {
    // given
    const comment = asked("login-dead");
    // when
    const seen: string[] = [];
    const isEnough = () => {
      const text = said(comment);
      if (text !== "" && text !== seen.at(-1)) seen.push(text);
      return false;
    };
    await pipeline.goOn(40 * minute, { isEnough });
    // then
    expect(requestOf(comment)).toMatchObject({
      outcome: "broken",
      reason: "Drone began no build within half an hour. login-dead",
    });
    const waiting = seen.filter((text) => text.includes("It waits: login"));
    expect(seen.length - waiting.length, seen.join("\n---\n")).toBeLessThanOrEqual(2);
    expect(waiting).toHaveLength(1);
  });

  test("[10] that came out at another commit of the CI repository counts for nothing, where the bridge was killed after it too", async () => {
    // given
    pipeline.drone.start = "other-commit";
    const comment = write();
    await goOnUntil(() => pipeline.records.requests.countGoingOn() > 0);
    pipeline.clock.pass(5 * second);
    // when
    pipeline.end({ of: "act", nth: 1, when: "after" });
    await pipeline.droneTurn();
    expect(pipeline.lives).toBeGreaterThan(1);
    await pipeline.goOn(5 * minute, { isBuilt: true });
    // then
    expect(statuses()).toEqual(["killed"]);
    expect(requestOf(comment)).toMatchObject({
      outcome: "broken",
      reason: "Drone began another commit of the CI repository than it was asked for.",
    });
  });
});

describe("a start of which nothing is known", () => {
  test("[19] is not waited for for ever, and its build is ended when Drone tells of it", async () => {
    // given
    const comment = await askedInDoubt("failing-after");
    pipeline.drone.trouble.mood = "silent";
    // when
    await pipeline.goOn(45 * minute);
    // then
    const { outcome, reason } = requestOf(comment);
    expect(outcome).toBe("broken");
    expect(reason).toMatch(/^Drone did not say whether it began a build: no answer\. A build/);
    expect(said(comment)).toContain("⚠️ could not be tested");
    expect(pipeline.records.requests.countGoingOn()).toBe(0);
    // when
    pipeline.drone.trouble.heal();
    await pipeline.goOn(6 * minute);
    // then
    expect(statuses()).toEqual(["killed"]);
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });

  test("is waited for past its time where Drone was only restarted with us", async () => {
    // given
    const comment = await askedInDoubt("failing-after");
    // when
    pipeline.drone.work();
    pipeline.clock.pass(45 * minute);
    pipeline.drone.work();
    pipeline.restart();
    pipeline.drone.trouble.mood = "silent";
    await pipeline.goOn(20 * second);
    pipeline.drone.trouble.heal();
    await pipeline.goOn(minute, { isBuilt: true });
    // then
    expect(requestOf(comment)).toMatchObject({ outcome: "passed" });
  });

  test("and that comes through after another one has its build ended", async () => {
    // given
    const comment = await askedInDoubt("failing-before");
    await pipeline.goOn(4 * minute);
    expect(requestOf(comment)).toMatchObject({ phase: "building", build: 1 });
    // when
    const { id, repository, recipe, pull, head: commit, quick } = requestOf(comment);
    pipeline.drone.make(pipeline.forge.branchHead, {
      ...{ id, repository, recipe, pull, commit, quick },
    });
    await pipeline.goOn(30 * second);
    // then
    expect(statuses()).toEqual(["pending", "killed"]);
    // when
    await pipeline.goOn(3 * minute, { isBuilt: true });
    // then
    expect(requestOf(comment)).toMatchObject({ outcome: "passed", build: 1 });
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });
});

describe("a test that is cancelled", () => {
  test("before it began does not wait until Drone would be asked again", async () => {
    // given
    const comment = asked("login-dead");
    await pipeline.goOn(12 * minute);
    // when
    write("cancel");
    await pipeline.goOn(20 * second);
    // then
    expect(requestOf(comment)).toMatchObject({ outcome: "cancelled" });
  });

  test("while Drone does not say whether it began has its build ended when there is one", async () => {
    // given
    const comment = await askedInDoubt("failing-after");
    pipeline.drone.trouble.mood = "silent";
    await pipeline.goOn(12 * minute);
    // when
    write("cancel");
    await pipeline.goOn(20 * second);
    // then
    expect(requestOf(comment)).toMatchObject({ outcome: "cancelled" });
    expect(said(comment)).toContain("A build of this may still run");
    // when
    pipeline.drone.trouble.heal();
    await pipeline.goOn(6 * minute);
    // then
    expect(statuses()).toEqual(["killed"]);
  });
});

describe("a build", () => {
  test("that has the number of a lost one is another's, and is left alone", async () => {
    // given
    const lost = await askedAndBuilding();
    await pipeline.goOn(15 * second);
    pipeline.drone.forget();
    const other = await askedAndBuilding(1);
    // when
    write("cancel");
    await pipeline.goOn(minute);
    // then
    expect(statuses()).toEqual(["pending"]);
    // when
    await pipeline.goOn(8 * minute, { isBuilt: true });
    // then
    expect(requestOf(lost)).toMatchObject({
      outcome: "broken",
      reason: "Drone knows nothing of its build any more.",
    });
    expect(requestOf(other)).toMatchObject({ outcome: "passed" });
  });

  test("[10] that is followed is of the commit of the CI repository that was asked for", async () => {
    // given
    const comment = await askedAndBuilding();
    const { id } = requestOf(comment);
    await goOnUntil(() => requestOf(comment).phase === "building");
    const [build] = pipeline.drone.builds;
    if (build === undefined) throw new Error("there is no build");
    // when
    pipeline.drone.builds.splice(0, 1, { ...build, after: commitOf("another") });
    await pipeline.goOn(minute, { isBuilt: true });
    // then
    expect(statuses()).toEqual(["killed"]);
    expect(pipeline.records.requests.find(id)).toMatchObject({ outcome: "broken" });
  });

  test("[19] that cannot be read is not followed for ever", async () => {
    // given
    const comment = await askedAndBuilding();
    pipeline.drone.unreadable.add(1);
    // when
    await pipeline.goOn(80 * minute, { isBuilt: true });
    // then
    const { outcome, reason } = requestOf(comment);
    expect(outcome).toBe("broken");
    expect(reason).toMatch(
      /^Drone does not tell what became of its build: another shape\. A build/,
    );
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });

  test("[19] that the bridge may not end is not followed for ever", async () => {
    // given
    const comment = await askedAndBuilding();
    pipeline.drone.mayCancel = false;
    // when
    await pipeline.goOn(80 * minute);
    // then
    const { outcome, reason } = requestOf(comment);
    expect(outcome).toBe("not-reached");
    expect(reason).toContain("Forbidden");
    // when
    await pipeline.goOn(6 * minute, { isBuilt: true });
    // then
    expect(statuses()).toEqual(["success"]);
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });

  test("[19] is not followed for ever where no build can be read, and ended when it can", async () => {
    // given
    const comment = await askedAndBuilding();
    pipeline.drone.trouble.mood = "strange";
    // when
    await pipeline.goOn(80 * minute);
    // then
    expect(requestOf(comment)).toMatchObject({ outcome: "broken" });
    // when
    pipeline.drone.trouble.heal();
    await pipeline.goOn(6 * minute);
    // then
    expect(statuses()).toEqual(["killed"]);
    expect(pipeline.records.requests.inDoubt()).toEqual([]);
  });
});
