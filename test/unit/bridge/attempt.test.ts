import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Attempted,
  attempt,
  pauseAfter,
  type Trial,
} from "../../../services/bridge/pacing/attempt.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import { DroneRefusal } from "../../../services/lib/drone/trouble.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";

let records: Records;

beforeEach(() => {
  records = new Records(":memory:");
});

afterEach(() => records.close());

const log = pino({ level: "silent" });

describe("the pause before something is tried again", () => {
  test.each([
    [1, 1, 2],
    [2, 2, 4],
    [3, 4, 8],
    [5, 16, 32],
    [8, 128, 256],
    [9, 150, 300],
    [100, 150, 300],
    [100_000, 150, 300],
  ])("is after %i tries from %i to %i seconds, by chance", (tries, least, most) => {
    expect(pauseAfter(tries, undefined, 0)).toBe(least);
    expect(pauseAfter(tries, undefined, 1)).toBe(most);
    expect(pauseAfter(tries, undefined, 0.5)).toBe((least + most) / 2);
  });

  test.each([
    [1, 0, 2],
    [1, 1, 2],
    [1, 60, 60],
    [9, 60, 300],
    [9, 3600, 3600],
  ])("is after %i tries, where %i seconds are asked for, %i at the most", (tries, wanted, most) => {
    expect(pauseAfter(tries, wanted, 1)).toBe(most);
    expect(pauseAfter(tries, wanted, 0)).toBeGreaterThanOrEqual(wanted);
  });
});

describe("an attempt", () => {
  let now = 0;
  let worked: (number | undefined)[] = [];

  beforeEach(() => {
    now = 1_000_000;
    worked = [];
  });

  const trial: Trial = { duty: "reply", item: "7", most: 3 };

  /** One try, that comes to this. */
  const tried = async (error?: Error, which: Trial = trial): Promise<Attempted> =>
    await attempt({ records, log, now: () => now, random: () => 1 }, which, async (since) => {
      worked.push(since);
      if (error !== undefined) throw error;
    });

  const no = new ForgeRefusal("not-allowed", "user is blocked", { status: 403 });
  const silence = new ForgeRefusal("silent", "git.example.org: no answer within 15 s");

  test("that succeeds leaves nothing behind", async () => {
    expect(await tried()).toEqual({ as: "done" });
    expect(records.attempts.find("reply", "7")).toBeUndefined();
  });

  test("that does not is made again later, and not before", async () => {
    expect(await tried(no)).toMatchObject({ as: "later", at: now + 2000, isSilence: false });
    now += 1999;
    expect(await tried()).toMatchObject({ as: "later", at: now + 1, isSilence: false });
    expect(worked).toEqual([undefined]);
    now += 1;
    expect(await tried(no)).toMatchObject({ as: "later", at: now + 4000 });
    now += 4000;
    expect(await tried()).toEqual({ as: "done" });
    // Each knows since when it does not succeed.
    expect(worked).toEqual([undefined, 1_000_000, 1_000_000]);
    expect(records.attempts.find("reply", "7")).toBeUndefined();
    // What comes after that begins anew.
    expect(await tried(no)).toMatchObject({ as: "later", at: now + 2000 });
  });

  test("is about one thing alone", async () => {
    await tried(no);
    expect(await tried(undefined, { ...trial, item: "8" })).toEqual({ as: "done" });
    expect(await tried(undefined, { ...trial, duty: "react" })).toEqual({ as: "done" });
  });

  test("is given up after so many that were a no, and never made again", async () => {
    for (const pause of [2000, 4000]) {
      expect(await tried(no)).toMatchObject({ as: "later" });
      now += pause;
    }
    expect(await tried(no)).toEqual({ as: "given-up" });
    expect(records.attempts.countParked(0)).toBe(1);
    expect(records.attempts.find("reply", "7")).toMatchObject({
      ...{ tries: 3, trouble: "user is blocked", isParked: true },
    });
    now += 1_000_000;
    expect(await tried()).toEqual({ as: "given-up" });
    expect(worked).toHaveLength(3);
  });

  test("is never given up for a silence", async () => {
    for (let time = 0; time < 100; time += 1) {
      expect(await tried(silence)).toMatchObject({ as: "later", isSilence: true });
      now += 300_000;
    }
    expect(records.attempts.countParked(0)).toBe(0);
    expect(worked).toHaveLength(100);
  });

  test("is not given up for the first no after many silences", async () => {
    for (let time = 0; time < 10; time += 1) {
      await tried(silence);
      now += 300_000;
    }
    expect(await tried(no)).toMatchObject({ as: "later", isSilence: false });
  });

  test("is never given up where nobody says how often it may be made", async () => {
    for (let time = 0; time < 100; time += 1) {
      expect(await tried(no, { duty: "look", item: "forge" })).toMatchObject({ as: "later" });
      now += 300_000;
    }
  });

  test("waits for as long as the other side wants", async () => {
    const busy = new ForgeRefusal("silent", "too much", { status: 429, retryAfterSeconds: 900 });
    expect(await tried(busy)).toMatchObject({ as: "later", at: now + 900_000, isSilence: true });
  });

  test.for<readonly [ForgeRefusal | DroneRefusal, boolean]>([
    [silence, true],
    [new ForgeRefusal("token-refused", "invalid token"), true],
    [no, false],
    [new ForgeRefusal("not-found", "gone"), false],
    [new ForgeRefusal("too-long", "too much"), false],
    [new ForgeRefusal("broken", "another shape"), false],
    [new DroneRefusal("silent", 0, "no answer"), true],
    [new DroneRefusal("late", 0, "no answer in time"), true],
    [new DroneRefusal("token-refused", 401, "Unauthorized"), true],
    [new DroneRefusal("forge-silent", 404, "EOF"), true],
    [new DroneRefusal("login-dead", 404, "Unauthorized"), true],
    [new DroneRefusal("client-refused", 404, "invalid client secret"), true],
    [new DroneRefusal("not-allowed", 403, "Forbidden"), false],
    [new DroneRefusal("not-found", 404, "Not Found"), false],
    [new DroneRefusal("broken", 500, "oops"), false],
  ])("tells a silence from a no: $0.trouble of $0.status", async ([error, isSilence]) => {
    expect(await tried(error)).toMatchObject({ as: "later", isSilence });
  });

  test("that shows a defect of ours hides nothing, and is noted as nothing", async () => {
    await expect(tried(new TypeError("x is not a function"))).rejects.toThrow(TypeError);
    expect(records.attempts.find("reply", "7")).toBeUndefined();
  });
});
