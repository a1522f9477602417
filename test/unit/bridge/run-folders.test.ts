import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunFolders } from "../../../services/bridge/pipeline/run-folders.ts";
import { makeScratch } from "../../scratch.ts";
import { id, results } from "./run-results.ts";

let scratch = "";

beforeEach(() => {
  scratch = makeScratch();
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

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
