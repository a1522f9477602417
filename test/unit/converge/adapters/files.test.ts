import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import { asStop } from "../../../../services/converge/engine/surprise.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-ci-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a file is put in place whole, readable by its owner alone, with its folder", async () => {
  const path = join(folder, "made/file");
  await new Files().write(path, "old");
  await new Files().write(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "made"))).toEqual(["file"]);
});

test("what a write left that was killed goes with the next one", async () => {
  writeFileSync(join(folder, "file.new"), "half");
  await new Files().write(join(folder, "file"), "whole");
  expect(readdirSync(folder)).toEqual(["file"]);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("whole");
});

test("a write that fails leaves what was there, and nothing else", async () => {
  await expect(new Files().write(folder, "a file in place of a folder")).rejects.toThrow();
  expect(readdirSync(join(folder, ".."))).not.toContain(`${folder.split("/").at(-1)}.new`);
});

test.each<readonly [string, (path: string) => void]>([
  ["a folder", (path) => mkdirSync(path)],
  [
    "a pipe, which nobody writes into",
    (path) => void execFileSync("sh", ["-c", `mkfifo "$1"`, "sh", path]),
  ],
  ["a link to itself", (path) => symlinkSync(path, path)],
  [
    "larger than anything of ours",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 3 * 1024 ** 3);
    },
  ],
])("what is to be read and is %s is named in one line", async (_, make) => {
  const path = join(folder, "file");
  make(path);
  const error: unknown = await new Files().read(path).catch((error) => error);
  expect(asStop(error).line).toMatchObject({
    id: "file-error",
    text: expect.stringContaining(path),
  });
});
