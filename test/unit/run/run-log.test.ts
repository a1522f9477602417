import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunLog } from "../../../services/run/run-log.ts";

let folder = "";
const path = () => join(folder, "log.jsonl");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-ci-log-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The lines of the log, without their times. */
function lines(): readonly unknown[] {
  const text = readFileSync(path(), "utf8").trimEnd();
  return text.split("\n").map((line) => ({ ...JSON.parse(line), at: undefined }));
}

test("a run's log has a line for each thing that it printed, whatever is in it", async () => {
  const log = new RunLog(folder);
  await log.add("stdout", 'one\n"two"\n');
  await log.add("stderr", "\u0000\u001b[31m\u2028");
  expect(lines()).toEqual([
    { from: "stdout", text: 'one\n"two"\n' },
    { from: "stderr", text: "\u0000\u001b[31m\u2028" },
  ]);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
});

test("a run's log ends where it is full, and says so", async () => {
  const log = new RunLog(folder, 300);
  for (let line = 0; line < 50; line += 1) await log.add("stdout", "x".repeat(40));
  expect(statSync(path()).size).toBeLessThan(600);
  expect(lines().at(-1)).toMatchObject({
    from: "host",
    text: "no more than 300 bytes are kept of a run's log",
  });
});

test("a log that cannot be written holds no run up", async () => {
  const log = new RunLog(join(folder, "gone"));
  await log.add("stdout", "x");
  await log.add("stdout", "y");
  expect(statSync(folder).isDirectory()).toBe(true);
});
