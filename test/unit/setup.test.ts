import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  buildInCache,
  type CachedThing,
  cachedFolder,
  cacheRoot,
  isBuilt,
  removeUnfinished,
} from "../setup/cache.ts";
import { isAtLeast, missing } from "../setup/debian.ts";
import { withLock } from "../setup/lock.ts";
import { requireTool } from "../tools.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-ci-setup-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("the cache", () => {
  const thing = (madeOf: readonly string[], text = "made"): CachedThing => ({
    name: "thing",
    madeOf: () => madeOf,
    build: async (folder) => writeFileSync(join(folder, "file"), text),
  });

  test("is where CC_CI_CACHE says, else in the user's cache folder", () => {
    expect(cacheRoot({ CC_CI_CACHE: "/a/b", XDG_CACHE_HOME: "/c" })).toBe("/a/b");
    expect(cacheRoot({ CC_CI_CACHE: "", XDG_CACHE_HOME: "/c" })).toBe("/c/cc-ci");
    expect(cacheRoot({ XDG_CACHE_HOME: "relative" })).toBe(join(homedir(), ".cache/cc-ci"));
    expect(cacheRoot({})).toBe(join(homedir(), ".cache/cc-ci"));
  });

  test("builds a thing once", async () => {
    const folder = await buildInCache(thing(["a"], "first"), root);
    expect(await buildInCache(thing(["a"], "second"), root)).toBe(folder);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("first");
  });

  test("keeps things apart that are made of something else", () => {
    const made = [["a"], ["b"], ["ab", "c"], ["a", "bc"], ["abc"], []];
    expect(new Set(made.map((each) => cachedFolder(thing(each), root))).size).toBe(made.length);
  });

  test("holds nothing of a build that failed", async () => {
    const broken: CachedThing = {
      ...thing(["a"]),
      build: async (folder) => {
        writeFileSync(join(folder, "half"), "");
        throw new Error("no network");
      },
    };
    await expect(buildInCache(broken, root)).rejects.toThrow("no network");
    expect(isBuilt(broken, root)).toBe(false);
    expect(readdirSync(root)).toEqual([]);
  });

  test("loses what a killed setup left, and nothing else", async () => {
    const folder = await buildInCache(thing(["a"]), root);
    mkdirSync(join(root, ".unfinished-thing-abc/half"), { recursive: true });
    await removeUnfinished(root);
    expect(readdirSync(root).map((name) => join(root, name))).toEqual([folder]);
  });

  test("may not be there yet", async () => {
    const nowhere = join(root, "a/b");
    await removeUnfinished(nowhere);
    expect(existsSync(await buildInCache(thing(["a"]), nowhere))).toBe(true);
  });
});

describe("the lock", () => {
  test("lets one setup in after the other", async (context) => {
    requireTool(context, "flock");
    const file = join(root, ".lock");
    const steps: string[] = [];
    const one = (name: string): Promise<void> =>
      withLock(file, async () => {
        steps.push(name);
        await new Promise((resolve) => setTimeout(resolve, 50));
        steps.push(name);
      });
    await Promise.all([one("a"), one("b"), one("c")]);
    expect(steps).toHaveLength(6);
    for (const first of [0, 2, 4]) expect(steps[first]).toBe(steps[first + 1]);
  });

  test("is let go of when the body fails", async (context) => {
    requireTool(context, "flock");
    const file = join(root, ".lock");
    await expect(withLock(file, () => Promise.reject(new Error("failed")))).rejects.toThrow(
      "failed",
    );
    expect(await withLock(file, async () => "in")).toBe("in");
  });
});

describe("what is installed", () => {
  test("is only what is not there", () => {
    const need = (name: string, present: boolean) => ({
      why: "",
      present: () => present,
      candidates: [name],
    });
    expect(missing([need("a", true), need("b", false)]).map((each) => each.candidates)).toEqual([
      ["b"],
    ]);
  });

  test.each([
    ["cargo 1.95.0 (f2d3ce0bd 2026-03-21)", "1.87", true],
    ["1.96.0+dfsg1-1~deb12u2", "1.87", true],
    ["0.66.0+ds1-1", "1.87", false],
    ["1.85.1+dfsg1-1+deb13u1", "1.87", false],
    ["2:1.19~1", "1.19", true],
    ["go version go1.26.8 linux/amd64", "1.19", true],
    ["2.0.0", "1.87", true],
    ["(none)", "1.87", false],
  ])("%s for %s: %s", (text, wanted, expected) => {
    expect(isAtLeast(text, wanted)).toBe(expected);
  });
});
