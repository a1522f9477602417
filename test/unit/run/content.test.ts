import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  artefactLimit,
  coreOf,
  excessOf,
  filesIn,
  type RunFile,
  strippedOf,
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

  test("what it came to is never over it, and never goes with the rest", () => {
    const files = [...own, file("tear-down-owed.json", 1e9), file("artefacts/results.json", 1)];
    expect(excessOf(files, limit)).toEqual([]);
    expect(paths(coreOf(files))).toEqual(["request.json", "results.json", "tear-down-owed.json"]);
    expect(paths(strippedOf(files))).toEqual(["log.jsonl", "artefacts/results.json"]);
  });

  test("an app's backup fits", () => {
    expect(excessOf([file("artefacts/backup.tar", artefactLimit.bytes)])).toEqual([]);
  });

  test("links are files, and what they lead to is none of it", async () => {
    const root = mkdtempSync(join(tmpdir(), "cc-ci-content-"));
    mkdirSync(join(root, "run/artefacts"), { recursive: true });
    mkdirSync(join(root, "elsewhere"));
    writeFileSync(join(root, "elsewhere/secret"), "x".repeat(5000));
    writeFileSync(join(root, "run/artefacts/a"), "12345");
    symlinkSync(join(root, "elsewhere"), join(root, "run/artefacts/link"));
    const files = await filesIn(join(root, "run"));
    rmSync(root, { recursive: true });
    expect(paths(files).toSorted()).toEqual(["artefacts/a", "artefacts/link"]);
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(1000);
  });
});
