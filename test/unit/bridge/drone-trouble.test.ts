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
});
