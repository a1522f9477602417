import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");

// Started by their files: what npm puts into node_modules/.bin takes the first node on PATH, old or
// not.
test.each([
  ["the compiler", "typescript/bin/tsc", ["--noEmit", "--pretty", "false"]],
  ["biome", "@biomejs/biome/bin/biome", ["ci", "--colors=off", "--error-on-warnings"]],
  ["knip", "knip/bin/knip.js", ["--no-progress", "--no-config-hints"]],
])("%s finds nothing to complain about", (_, program, args) => {
  const result = spawnSync(process.execPath, [join(repository, "node_modules", program), ...args], {
    cwd: repository,
    encoding: "utf8",
  });
  expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
});
