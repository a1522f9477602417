import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { Alarm } from "../../../services/bridge/pipeline/alarm.ts";
import {
  type Attempted,
  attempt,
  pauseAfter,
  type Trial,
} from "../../../services/bridge/pipeline/attempt.ts";
import { endOf } from "../../../services/bridge/pipeline/follow.ts";
import { Gate } from "../../../services/bridge/pipeline/gate.ts";
import { RunFolders } from "../../../services/bridge/pipeline/run-folders.ts";
import { Turn } from "../../../services/bridge/pipeline/turn.ts";
import type { AskedFor } from "../../../services/bridge/records/commands.ts";
import { Database } from "../../../services/bridge/records/database.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import type { End, NewRequest } from "../../../services/bridge/records/requests.ts";
import { Health } from "../../../services/bridge/telemetry/health.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";
import type { Outcome } from "../../../services/lib/drone/outcome.ts";
import { DroneRefusal } from "../../../services/lib/drone/trouble.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";
import type { RunResults } from "../../../services/lib/run.ts";
import { makeScratch } from "../../scratch.ts";
import { bridgeSettings } from "./settings.ts";

/** At which all is due. */
const whenever = { now: 0, longest: 0 };

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
    expect(records.attempts.countParked()).toBe(1);
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
    expect(records.attempts.countParked()).toBe(0);
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

describe("a turn", () => {
  const done: Attempted = { as: "done" };
  const givenUp: Attempted = { as: "given-up" };
  const later = (at: number, isSilence = false): Attempted => ({ as: "later", at, isSilence });

  /** Which of these it came to. */
  async function over(turn: Turn, all: readonly Attempted[]): Promise<readonly number[]> {
    const tried: number[] = [];
    await turn.over([...all.keys()], async (index) => {
      tried.push(index);
      return all[index] ?? done;
    });
    return tried;
  }

  test("goes over all that is due", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [done, later(700), givenUp, later(900), done])).toEqual([
      ...[0, 1, 2, 3, 4],
    ]);
    expect(turn.isOver).toBe(false);
    expect(turn.next).toBe(700);
  });

  test("ends with the second silence in a row, and stays ended", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [later(900, true), later(800, true), done])).toEqual([0, 1]);
    expect(turn.isOver).toBe(true);
    expect(turn.next).toBe(800);
    expect(await over(turn, [done])).toEqual([]);
  });

  test("counts silences over all that it goes over", async () => {
    const turn = new Turn(1000);
    await over(turn, [later(900, true)]);
    expect(await over(turn, [later(900, true), done])).toEqual([0]);
  });

  test("takes an answer between two silences for one", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [later(900, true), done, later(900, true), done])).toEqual([
      ...[0, 1, 2, 3],
    ]);
    expect(turn.isOver).toBe(false);
  });

  test("is over at once where the other side wants its peace", async () => {
    const turn = new Turn(1000);
    const busy: Attempted = { as: "later", at: 600, isSilence: true, quietUntil: 5000 };
    expect(await over(turn, [busy, done])).toEqual([0]);
    expect(turn.quietUntil).toBe(5000);
  });

  test("comes again at the earliest time that anybody named", () => {
    const turn = new Turn(1000);
    turn.againAt(undefined);
    expect(turn.next).toBe(1000);
    turn.againAt(2000);
    expect(turn.next).toBe(1000);
    turn.againAt(500);
    turn.againAt(600);
    expect(turn.next).toBe(500);
  });
});

describe("a sleep", () => {
  const isOver = async (sleep: Promise<void>, milliseconds: number): Promise<boolean> =>
    await Promise.race([
      sleep.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), milliseconds)),
    ]);

  test("ends by itself", async () => {
    await new Alarm().sleep(5);
  });

  test.each([0, -1, Number.NEGATIVE_INFINITY, Number.NaN])("of %d is none", async (time) => {
    await new Alarm().sleep(time);
  });

  test("ends when the alarm rings", async () => {
    const alarm = new Alarm();
    const sleep = alarm.sleep(3_600_000);
    expect(await isOver(sleep, 20)).toBe(false);
    alarm.ring();
    await sleep;
  });

  test("does not begin where the alarm rang before, however often, and the next one does", async () => {
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    await alarm.sleep(3_600_000);
    const next = alarm.sleep(3_600_000);
    expect(await isOver(next, 20)).toBe(false);
    alarm.ring();
    await next;
  });

  test("that would have been none takes the ringing along", async () => {
    const alarm = new Alarm();
    alarm.ring();
    await alarm.sleep(0);
    const next = alarm.sleep(3_600_000);
    expect(await isOver(next, 20)).toBe(false);
    alarm.ring();
    await next;
  });

  test("of more than a timer can hold is a long one", async () => {
    const alarm = new Alarm();
    const sleep = alarm.sleep(Number.POSITIVE_INFINITY);
    expect(await isOver(sleep, 20)).toBe(false);
    alarm.ring();
    await sleep;
  });
});

describe("health", () => {
  const begun = Date.UTC(2026, 0, 5, 10);
  let now = begun;

  const healthIn = (mode: "poll" | "webhook"): Health => {
    now = begun;
    return new Health({ settings: { ...bridgeSettings, mode }, now: () => now });
  };

  test.for<readonly ["poll" | "webhook", number]>([
    ["poll", 3 * 15 + 120],
    ["webhook", 3 * 900 + 120],
  ])("in mode %s is bad %i seconds after the forge told us anything", ([mode, seconds]) => {
    const health = healthIn(mode);
    // Of when we began, too.
    for (const lookedAt of [undefined, begun + 5_000_000]) {
      health.lookedAt = lookedAt;
      now = (lookedAt ?? begun) + seconds * 1000;
      expect(health.now()).toEqual({ problems: [] });
      now += 1000;
      expect(health.now()).toEqual({
        problems: [`the forge has told nothing for ${seconds + 1} s`],
      });
    }
    health.lookedAt = now;
    expect(health.now()).toEqual({ problems: [] });
  });

  test("says all that is wrong", () => {
    const health = healthIn("poll");
    health.unfit = "the account is no member";
    now += 3_600_000;
    expect(health.now().problems).toEqual([
      ...["the account is no member", "the forge has told nothing for 3600 s"],
    ]);
  });
});

const id = "0011223344556677";
const head = "0123456789abcdef0123456789abcdef01234567";

const results: RunResults = {
  version: 1,
  request: {
    ...{ id, recipe: "wiki", repository: "recipes/wiki", pull: 3, commit: head, quick: false },
  },
  ...{ outcome: "failed", reason: "the page said 500" },
  ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:04:12.000Z" },
  stages: [
    {
      ...{ name: "install", status: "failed", reason: "the page said 500" },
      ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:01:40.000Z" },
    },
  ],
};

describe("the folder of a run", () => {
  let runs: RunFolders;
  const path = (name: string): string => join(scratch, id, name);

  beforeEach(() => {
    runs = new RunFolders(scratch);
    mkdirSync(join(scratch, id));
  });

  test("says what it came to", async () => {
    writeFileSync(path("results.json"), JSON.stringify(results));
    mkdirSync(path("artefacts"));
    writeFileSync(path("artefacts/results.json"), "{}");
    expect(await runs.results(id)).toEqual(results);
  });

  test.for<readonly [string, () => void | Promise<void>]>([
    ["is not there", () => rmSync(join(scratch, id), { recursive: true })],
    ["has no results yet", () => undefined],
    ["has empty ones", () => writeFileSync(path("results.json"), "")],
    ["has half of them", () => writeFileSync(path("results.json"), '{"version":1,"request":')],
    ["has something else", () => writeFileSync(path("results.json"), "null")],
    ["has bytes", () => writeFileSync(path("results.json"), Buffer.from([0xff, 0x00, 0xfe]))],
    [
      "has those of a later version",
      () => writeFileSync(path("results.json"), JSON.stringify({ ...results, version: 2 })),
    ],
    [
      "has more in them than is known",
      () => writeFileSync(path("results.json"), JSON.stringify({ ...results, more: true })),
    ],
    [
      "has those of another run",
      () => {
        const request = { ...results.request, id: "ffeeddccbbaa9988" };
        writeFileSync(path("results.json"), JSON.stringify({ ...results, request }));
      },
    ],
    [
      "has too many of them",
      () => writeFileSync(path("results.json"), JSON.stringify(results).padEnd(1024 * 1024 + 1)),
    ],
    [
      "has more than fits into memory",
      () => {
        writeFileSync(path("results.json"), "");
        truncateSync(path("results.json"), 2 ** 40);
      },
    ],
    [
      "has a socket in their place",
      async () => {
        const server = createServer().listen(path("results.json"));
        await once(server, "listening");
        server.unref();
      },
    ],
    [
      "has a file in place of their folder",
      () => {
        rmSync(path(""), { recursive: true });
        writeFileSync(path(""), "");
      },
    ],
    ["has a folder in their place", () => mkdirSync(path("results.json"))],
    ["has a pipe in their place", () => void execFileSync("mkfifo", [path("results.json")])],
    [
      "has a link in their place",
      () => {
        writeFileSync(path("others.json"), JSON.stringify(results));
        symlinkSync("others.json", path("results.json"));
      },
    ],
  ])("that %s says nothing", async ([, make]) => {
    await make();
    expect(await runs.results(id)).toBeUndefined();
  });

  test("may have as many results as fit", async () => {
    writeFileSync(path("results.json"), JSON.stringify(results).padEnd(1024 * 1024));
    expect(await runs.results(id)).toEqual(results);
  });

  test.for([
    "",
    "..",
    "../secret",
    "0011223344556677/..",
    "0011223344556677\n",
    "FFEEDDCCBBAA9988",
  ])("is looked for by nothing but an id: %j", async (other) => {
    await expect(runs.results(other)).rejects.toThrow("16 hex digits");
    await expect(runs.lastLines(other, 5)).rejects.toThrow("16 hex digits");
  });

  const entry = (text: string, from = "stdout"): string =>
    `${JSON.stringify({ at: "2026-01-05T10:01:00.000Z", from, text })}\n`;

  test("has the last lines of what was printed, in whatever pieces it came", async () => {
    writeFileSync(
      path("log.jsonl"),
      [
        ...[entry("one\ntw"), entry("o\n\n  \n"), entry("three: é", "stderr")],
        ...[entry("the host says\n", "host"), entry(" and more\nfour"), entry("\n")],
      ].join(""),
    );
    expect(await runs.lastLines(id, 15)).toEqual(["one", "two", "three: é and more", "four"]);
    expect(await runs.lastLines(id, 2)).toEqual(["three: é and more", "four"]);
  });

  test.for<readonly [string, () => void, readonly string[]]>([
    ["is not there", () => undefined, []],
    ["is empty", () => writeFileSync(path("log.jsonl"), ""), []],
    [
      "has a line of which half was written",
      () => writeFileSync(path("log.jsonl"), entry("one\n") + entry("two\n").slice(0, -5)),
      ["one"],
    ],
    [
      "has lines of something else",
      () =>
        writeFileSync(
          path("log.jsonl"),
          `null\n[]\nx\n\n{"from":"stdout"}\n${entry("one\n")}{"from":1,"text":"x"}\n`,
        ),
      ["one"],
    ],
    [
      "has NUL in it",
      () => writeFileSync(path("log.jsonl"), `${entry("one\n")}\0\0\0\n${entry("two\n")}`),
      ["one", "two"],
    ],
    ["is a folder", () => mkdirSync(path("log.jsonl")), []],
    ["is a pipe", () => void execFileSync("mkfifo", [path("log.jsonl")]), []],
    [
      "is a link",
      () => {
        writeFileSync(path("other.jsonl"), entry("one\n"));
        symlinkSync("other.jsonl", path("log.jsonl"));
      },
      [],
    ],
  ])("has the lines that can be read of a log that %s", async ([, make, expected]) => {
    make();
    expect(await runs.lastLines(id, 15)).toEqual(expected);
  });

  test.each([0, 1, 2, 3])(
    "has the last lines of a log that is cut within a character: %i",
    async (shift) => {
      // Whatever the last part of it is that is looked at begins in the middle of one.
      const long = entry(`${"x".repeat(shift)}${"😀".repeat(1024 * 1024)}\n`);
      writeFileSync(path("log.jsonl"), long + entry("one\n") + entry("two\n"));
      expect(await runs.lastLines(id, 15)).toEqual(["one", "two"]);
    },
  );

  test("has the last lines of a log whose last entry is as large as one can be", async () => {
    const large = entry(`${"\u0001".repeat(64 * 1024 - 6)}\nlast\n`);
    writeFileSync(path("log.jsonl"), entry("one\n".repeat(100_000)) + large);
    expect((await runs.lastLines(id, 15)).at(-1)).toBe("last");
  });
});

describe("a database", () => {
  const path = (): string => join(scratch, "x.sqlite");
  const versions = [
    "CREATE TABLE a (x TEXT PRIMARY KEY) STRICT",
    "CREATE TABLE b (y INTEGER) STRICT; INSERT INTO b SELECT count(*) FROM a",
    "ALTER TABLE b ADD COLUMN z TEXT",
  ];
  const row = z.object({ x: z.string() });
  const all = (database: Database) =>
    database.all(row, "SELECT x FROM a ORDER BY x").map(({ x }) => x);

  test("has what was written when it is opened again", () => {
    const before = new Database(path(), versions);
    expect(before.run("INSERT INTO a VALUES (:x)", { x: "one" })).toBe(1);
    before.close();
    const after = new Database(path(), versions);
    expect(all(after)).toEqual(["one"]);
    after.close();
  });

  test("of an older version becomes one of the newest, with all that is in it", () => {
    const old = new Database(path(), versions.slice(0, 1));
    old.run("INSERT INTO a VALUES ('one'), ('two')");
    old.close();
    const middle = new Database(path(), versions.slice(0, 2));
    middle.close();
    const newest = new Database(path(), versions);
    expect(all(newest)).toEqual(["one", "two"]);
    const found = newest.first(z.object({ y: z.int(), z: z.null() }), "SELECT y, z FROM b");
    expect(found).toEqual({ y: 2, z: null });
    newest.close();
    // and nothing is done to it a second time
    new Database(path(), versions).close();
  });

  test("that is none is left as it is, and a person is told which", () => {
    writeFileSync(path(), "what somebody else has put there, and is no database at all");
    expect(() => new Database(path(), versions)).toThrow(
      `${path()} cannot be opened (file is not a database): put a copy of it there, or move it away`,
    );
  });

  test("waits for somebody else who writes for a moment", async () => {
    const own = new Database(path(), versions);
    const script = `
      const other = new (require("node:sqlite").DatabaseSync)(process.argv[1]);
      other.exec("BEGIN IMMEDIATE");
      console.log("writes");
      setTimeout(() => other.exec("COMMIT"), 300);`;
    const other = spawn(process.execPath, ["-e", script, path()]);
    await once(other.stdout, "data");
    expect(own.run("INSERT INTO a VALUES ('one')")).toBe(1);
    own.close();
    await once(other, "exit");
  });

  test("of a newer version is left as it is, and a person is told", () => {
    new Database(path(), versions).close();
    expect(() => new Database(path(), versions.slice(0, 2))).toThrow(
      `${path()} is of version 3 and this program knows 2: run the newer one, or move the file away`,
    );
    new Database(path(), versions).close();
  });

  test("stays of the version before where a change comes to nothing", () => {
    const first = versions.slice(0, 1);
    new Database(path(), first).close();
    const broken = [...first, "CREATE TABLE c (x TEXT) STRICT; INSERT INTO nowhere VALUES (1)"];
    expect(() => new Database(path(), broken)).toThrow("no such table: nowhere");
    const again = new Database(path(), [...first, "CREATE TABLE c (x TEXT) STRICT"]);
    again.close();
  });

  test("that is no database is an error", () => {
    writeFileSync(path(), "x".repeat(4096));
    expect(() => new Database(path(), versions)).toThrow("not a database");
  });

  test("keeps nothing of what was thrown in, and all of what was returned from", () => {
    const database = new Database(path(), versions);
    const insert = (x: string) => database.run("INSERT INTO a VALUES (:x)", { x });
    expect(database.transaction(() => [insert("one"), insert("two")])).toEqual([1, 1]);
    const failing = () =>
      database.transaction(() => {
        insert("three");
        // One within another is a part of it.
        database.transaction(() => insert("four"));
        throw new Error("no");
      });
    expect(failing).toThrow("no");
    expect(() => database.transaction(() => insert("one"))).toThrow(
      "UNIQUE constraint failed: a.x",
    );
    insert("five");
    database.close();
    const again = new Database(path(), versions);
    expect(all(again)).toEqual(["five", "one", "two"]);
    again.close();
  });

  test("says what the trouble was where SQLite has gone back by itself, and goes on", () => {
    const database = new Database(path(), versions);
    database.run("INSERT INTO a VALUES ('one')");
    const failing = () =>
      database.transaction(() => database.run("INSERT OR ROLLBACK INTO a VALUES ('one')"));
    expect(failing).toThrow("UNIQUE constraint failed: a.x");
    database.transaction(() => database.run("INSERT INTO a VALUES ('two')"));
    expect(all(database)).toEqual(["one", "two"]);
    database.close();
  });

  test("that somebody else writes says so, and goes on after that", () => {
    const database = new Database(path(), versions);
    const other = new DatabaseSync(path());
    other.exec("BEGIN IMMEDIATE");
    const insert = () => database.transaction(() => database.run("INSERT INTO a VALUES ('one')"));
    expect(insert).toThrow("database is locked");
    other.exec("ROLLBACK");
    other.close();
    insert();
    expect(all(database)).toEqual(["one"]);
    database.close();
  });

  test("gives out nothing of another shape than is asked for", () => {
    const database = new Database(path(), versions);
    expect(database.first(row, "SELECT x FROM a")).toBeUndefined();
    expect(database.all(row, "SELECT x FROM a")).toEqual([]);
    database.run("INSERT INTO a VALUES ('one')");
    expect(() => database.first(z.object({ x: z.int() }), "SELECT x FROM a")).toThrow(z.ZodError);
    database.close();
  });

  test("is as safe from a power cut as SQLite can make it", () => {
    new Database(path(), versions).close();
    const database = new Database(path(), versions);
    const pragma = (name: string) => database.first(z.unknown(), `PRAGMA ${name}`);
    expect(pragma("journal_mode")).toEqual({ journal_mode: "wal" });
    expect(pragma("synchronous")).toEqual({ synchronous: 2 });
    database.close();
  });
});

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
    const { stages } = results;
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
    expect(answers.unposted()).toEqual([reply(7, "two"), reply(8, "one")]);
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
    answers.tell("recipes/wiki", 3, head, 2000);
    expect(told()).toMatchObject({ head, comment: null, said: null, changedAt: 2000 });
    answers.said({ repository: "recipes/wiki", pull: 3, changedAt: 2000 }, 20, "digest");
    const newer = "f".repeat(40);
    answers.tell("recipes/wiki", 3, newer, 3000);
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
    answers.tell("recipes/wiki", 3, head, 2000);
    answers.tell("recipes/wiki", 4, head, 4000);
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
    const failed = (duty: string, item: string, nextAt: number, noes = 1) =>
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
  expect(records.attempts.countParked()).toBe(2);
  records.attempts.forget(2000);
  expect(records.attempts.countParked()).toBe(1);
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

describe("the gate", () => {
  const lines: unknown[] = [];
  const writing = pino(
    { base: null },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );

  beforeEach(() => {
    lines.length = 0;
  });

  test("says what is done before it is done, and counts what was", async () => {
    const metrics = new Metrics(records, () => undefined);
    const gate = new Gate(writing, metrics);
    const came = await gate.pass("comment post", "recipes/wiki#3", async () => {
      expect(lines).toMatchObject([
        { act: "comment post", target: "recipes/wiki#3", step: 1, msg: "does" },
      ]);
      return 20;
    });
    expect(came).toBe(20);
    await gate.pass("comment post", "recipes/wiki#4", async () => undefined);
    expect(lines).toMatchObject([{ step: 1 }, { step: 2, target: "recipes/wiki#4" }]);
    expect(await metrics.registry.metrics()).toContain(
      'cc_ci_bridge_acts_total{act="comment post"} 2',
    );
  });

  test("lets through what went wrong, and does not count it", async () => {
    const metrics = new Metrics(records, () => undefined);
    const gate = new Gate(writing, metrics);
    const refused = new ForgeRefusal("not-found", "gone");
    await expect(
      gate.pass("comment edit", "recipes/wiki#3", async () => {
        throw refused;
      }),
    ).rejects.toBe(refused);
    expect(await metrics.registry.metrics()).not.toContain('act="comment edit"');
    await gate.pass("comment edit", "recipes/wiki#3", async () => undefined);
    expect(lines).toMatchObject([{ step: 1 }, { step: 2 }]);
  });
});
