import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireTool } from "../../tools.ts";
import { images } from "../images/index.ts";
import { releases } from "./releases.ts";
import { createRepositories, createRepository, type RecipeName } from "./repositories.ts";

let folder: string;

beforeEach((context) => {
  requireTool(context, "git");
  folder = mkdtempSync(join(tmpdir(), "cc-ci-recipes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", repository, ...args], { encoding: "utf8" });

test("the same sources give the same commits", () => {
  const commits = (name: string) =>
    Object.values(createRepositories(join(folder, name))).map((each) => each.commits);
  expect(commits("one")).toEqual(commits("other"));
});

describe.each(Object.keys(releases) as RecipeName[])("the recipe %s", (name) => {
  test("has an annotated tag for each release, and the last one on its branch", () => {
    const { folder: repository, commits } = createRepository(folder, name);
    const versions = releases[name].map(({ version }) => version);
    expect(Object.keys(commits)).toEqual(versions);
    const kinds = git(repository, "for-each-ref", "--format=%(objecttype)", "refs/tags");
    expect(new Set(kinds.trim().split("\n"))).toEqual(new Set(["tag"]));
    expect(git(repository, "rev-parse", "HEAD").trim()).toBe(commits[versions.at(-1) ?? ""]);
  });

  test("says in its label which release it is", () => {
    const { folder: repository } = createRepository(folder, name);
    for (const { version } of releases[name]) {
      expect(git(repository, "show", `${version}:compose.yml`)).toContain(`.version=${version}"`);
    }
  });

  test("runs images that the hosts have, but where it is about those that are not", () => {
    const { folder: repository } = createRepository(folder, name);
    const known = images.map(({ reference }) => reference);
    for (const { version, says } of releases[name]) {
      const text = git(repository, "grep", "-h", "image:", version, "--", "compose*.yml");
      const used = [...text.matchAll(/image: "(.*)"/g)].map(([, image]) => image);
      const absent = used.filter((image) => !known.includes(image ?? ""));
      expect(absent, version).toHaveLength(/image (?:without|that)/i.test(says) ? 1 : 0);
    }
  });
});
