import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "cc-ci-reporter-"));
  mkdirSync(join(scratch, "test"));
  symlinkSync(join(repository, "node_modules"), join(scratch, "node_modules"));
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test("passed and failed tests are counted", () => {
  const { lastLine, status } = run({
    "a.test.ts": "test('a', () => {}); test('b', () => { expect(1).toBe(2); });",
    "b.test.ts": "test('c', () => {});",
  });
  expect(lastLine).toBe("2 passed, 1 failed");
  expect(status).toBe(1);
});

test("nothing is said about skipped tests when there are none", () => {
  const { lastLine, output, status } = run({ "a.test.ts": "test('a', () => {});" });
  expect(lastLine).toBe("1 passed, 0 failed");
  expect(output).not.toContain("skipped");
  expect(status).toBe(0);
});

test("every skipped test is named below its reason", () => {
  // The text of a file that the reporter is shown; nothing is skipped here.
  const { output, lastLine, status } = run({
    "a.test.ts": `
      test('a', () => {});
      describe('group', () => { test('b', (context) => context.skip('needs x')); });
      test('c', (context) => context.skip('needs x'));
      test.skip('d', () => {});
      test.todo('e');
    `,
  });
  expect(output.slice(output.indexOf("skipped, "))).toBe(`skipped, needs x
  test/a.test.ts > group > b
  test/a.test.ts > c
skipped, left out in the test file or by a filter
  test/a.test.ts > d
skipped, to do
  test/a.test.ts > e
1 passed, 0 failed, 4 skipped
`);
  expect(lastLine).toBe("1 passed, 0 failed, 4 skipped");
  expect(status).toBe(0);
});

test.each([
  ["a file that does not load", "throw new Error('no');"],
  ["a file that is no TypeScript", "const = ;"],
  ["a file without a test", "export const a = 1;"],
  [
    "a hook after the tests that fails",
    "test('b', () => {}); afterAll(() => { throw new Error('no'); });",
  ],
  [
    "a rejection that nobody waits for",
    "test('b', () => { void Promise.reject(new Error('no')); });",
  ],
])("%s counts as a failed test", (_, text) => {
  const { lastLine, status } = run({ "a.test.ts": "test('a', () => {});", "b.test.ts": text });
  expect(lastLine).toMatch(/^[12] passed, 1 failed$/);
  expect(status).toBe(1);
});

test("a run without any test is a failure", () => {
  const { lastLine, status } = run({});
  expect(lastLine).toBe("0 passed, 1 failed");
  expect(status).toBe(1);
});

test("a run that fails for a reason that no test shows does not look like a good one", () => {
  const { lastLine, status } = run({
    // In CI an unused snapshot fails the run.
    "a.test.ts": "test('a', () => { expect(1).toMatchSnapshot(); });",
  });
  expect(lastLine).toBe("0 passed, 1 failed");
  expect(status).toBe(1);
});

test("the line is the last one when there is colour and a program that prints without end of line", () => {
  const text = "test('a', () => {}); afterAll(() => { process.stdout.write('no end of line'); });";
  const { lastLine } = run({ "a.test.ts": text }, { FORCE_COLOR: "1" });
  expect(lastLine).toBe("1 passed, 0 failed");
});

function run(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = { NO_COLOR: "1" },
): { lastLine: string | undefined; output: string; status: number | null } {
  const imports = 'import { afterAll, describe, expect, test } from "vitest";\n';
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(scratch, "test", name), imports + text);
  }
  const { FORCE_COLOR: _forced, NO_COLOR: _none, ...outer } = process.env;
  const { stdout, status } = spawnSync(
    process.execPath,
    [
      join(repository, "node_modules/vitest/vitest.mjs"),
      "run",
      ...["--root", scratch, "--config", join(repository, "vitest.config.ts")],
    ],
    { cwd: scratch, env: { ...outer, CI: "true", ...env }, encoding: "utf8" },
  );
  // What stands after the last end of line is no line.
  return { lastLine: stdout.split("\n").at(-2), output: stdout, status };
}
