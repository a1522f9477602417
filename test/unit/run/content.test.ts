import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  artefactLimit,
  bytesOf,
  coreOf,
  excessOf,
  filesIn,
  type RunFile,
  removeFiles,
  stripFolder,
} from "../../../services/run/content.ts";

const file = (path: string, bytes: number): RunFile => ({ path, bytes });
const paths = (files: readonly RunFile[]) => files.map(({ path }) => path);

const own = [file("request.json", 300), file("results.json", 900), file("log.jsonl", 5000)];
const limit = { bytes: 100, files: 3 };

describe("of what a run leaves", () => {
  test("all stays that is within the limit, whatever its log has", () => {
    const files = [...own, file("artefacts/a", 60), file("artefacts/b/c", 40)];
    expect(excessOf(files, limit)).toEqual([]);
  });

  test("the largest files are over it, wherever they lie", () => {
    const files = [...own, file("artefacts/huge", 1e12), file("b", 60), file("artefacts/c", 41)];
    expect(paths(excessOf(files, limit))).toEqual(["b", "artefacts/huge"]);
  });

  test("so are the largest of too many", () => {
    const files = [1, 2, 3, 4, 5].map((bytes) => file(`artefacts/${bytes}`, bytes));
    expect(paths(excessOf([...own, ...files], limit))).toEqual(["artefacts/4", "artefacts/5"]);
  });

  test("what it came to is never over it", () => {
    const files = [...own, file("tear-down-owed.json", 1e9), file("artefacts/results.json", 1)];
    expect(excessOf(files, limit)).toEqual([]);
    expect(paths(coreOf(files))).toEqual(["request.json", "results.json", "tear-down-owed.json"]);
  });

  test("an app's backup fits", () => {
    expect(excessOf([file("artefacts/backup.tar", artefactLimit.bytes)])).toEqual([]);
  });
});

describe("the files of a run", () => {
  let [root, run] = ["", ""];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cc-ci-content-"));
    run = join(root, "run");
    mkdirSync(join(run, "artefacts"), { recursive: true });
  });

  afterEach(() => rmSync(root, { recursive: true }));

  /** Leaves a file whose folder's name and own name are no UTF-8. */
  function leaveBytes(text: string): void {
    const folder = Buffer.concat([Buffer.from(`${run}/artefacts/`), Buffer.from([0xff, 0xfe])]);
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from([0x2f, 0xe9])]), text);
  }

  test("have links among them, and not what these lead to", async () => {
    mkdirSync(join(root, "elsewhere"));
    writeFileSync(join(root, "elsewhere/secret"), "x".repeat(5000));
    writeFileSync(join(run, "artefacts/a"), "12345");
    symlinkSync(join(root, "elsewhere"), join(run, "artefacts/link"));
    const files = await filesIn(run);
    expect(paths(files).toSorted()).toEqual(["artefacts/a", "artefacts/link"]);
    expect(bytesOf(files)).toBeLessThan(1000);
  });

  test("count, and can be removed, whatever bytes their names are of", async () => {
    leaveBytes("12345");
    writeFileSync(join(run, "artefacts/\u00e9"), "123");
    const files = await filesIn(run);
    expect(bytesOf(files)).toBe(8);
    // when
    await removeFiles(run, excessOf(files, { bytes: 3, files: 9 }));
    // then
    expect((await filesIn(run)).map(({ bytes }) => bytes)).toEqual([3]);
  });

  test("go with their folders, but for those that say what it came to", async () => {
    leaveBytes("12345");
    for (const name of ["request.json", "log.jsonl"]) writeFileSync(join(run, name), "{}");
    for (const name of ["results.json/a", "empty/er"]) {
      mkdirSync(join(run, name), { recursive: true });
    }
    await stripFolder(run);
    expect(readdirSync(run)).toEqual(["artefacts", "request.json"]);
    expect(readdirSync(join(run, "artefacts"))).toEqual([]);
  });
});
