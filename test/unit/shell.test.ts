import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireTool } from "../tools.ts";

const repository = join(import.meta.dirname, "../..");

/** What git tracks or would track: a new file is checked before it is added. */
function shellFiles(git: string): string[] {
  const listing = execFileSync(
    git,
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: repository, encoding: "utf8" },
  );
  return listing
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(repository, file)))
    .filter((file) => file.endsWith(".sh") || hasShellShebang(join(repository, file)));
}

function hasShellShebang(path: string): boolean {
  const [firstLine = ""] = readFileSync(path, "latin1").split("\n", 1);
  return /^#!.*\b(?:sh|bash|dash)\b/.test(firstLine);
}

test("the launcher and CI's script are among the shell files", (context) => {
  const files = shellFiles(requireTool(context, "git"));
  expect(files).toContain("bin/node24");
  expect(files).toContain(".ci/run");
});

test("shellcheck finds nothing to complain about in any shell file", (context) => {
  const files = shellFiles(requireTool(context, "git"));
  const result = spawnSync(requireTool(context, "shellcheck"), ["--norc", "--", ...files], {
    cwd: repository,
    encoding: "utf8",
  });
  expect(`${result.stdout}${result.stderr}`).toBe("");
  expect(result.status).toBe(0);
});
