import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { makeScratch } from "../scratch.ts";

test("a scratch folder outlives its process only until the next one is made", () => {
  const root = mkdtempSync(join(tmpdir(), "cc-ci-scratch-"));
  try {
    // given
    const first = makeScratch(root);
    mkdirSync(join(root, `${process.pid}-1-left`, "below"), { recursive: true });
    mkdirSync(join(root, "999999999-1-left"));
    // when
    const second = makeScratch(root);
    // then
    expect(readdirSync(root).sort()).toEqual([basename(first), basename(second)].sort());
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("temporary files of a run lie in a scratch folder of it", () => {
  expect(basename(tmpdir())).toMatch(new RegExp(`^${process.ppid}-\\d+-`));
});
