import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { Database } from "../../../services/bridge/records/database.ts";
import { makeScratch } from "../../scratch.ts";

let scratch = "";

beforeEach(() => {
  scratch = makeScratch();
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

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
