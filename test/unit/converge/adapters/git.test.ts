import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Git, GitFailure } from "../../../../services/converge/adapters/git.ts";
import type { Run } from "../../../../services/converge/adapters/program.ts";
import { type Upstream, upstream } from "./recipe-upstream.ts";

const git = new Git({ protocols: ["file"] });
const seconds = 60;

/** A clone of it, its files brought to the newest commit. */
async function cloneOf(source: Upstream): Promise<string> {
  const directory = join(source.scratch, "recipes", "web");
  await git.clone(source.address, directory, seconds);
  await git.checkout(directory, source.git("rev-parse", "HEAD"));
  return directory;
}

describe("a clone", () => {
  test("has the branches and tags, annotated or not, and the address it is from", async () => {
    using source = upstream();
    source.git("tag", "1.0.0+1.0.0");
    source.git("tag", "--annotate", "--message=x", "1.1.0+1.0.0");
    const directory = await cloneOf(source);
    const head = source.git("rev-parse", "HEAD");
    expect(await git.isClone(directory)).toBe(true);
    expect(await git.origin(directory)).toBe(source.address);
    expect(await git.tags(directory)).toEqual(
      new Map([
        ["1.0.0+1.0.0", head],
        ["1.1.0+1.0.0", head],
      ]),
    );
    expect(await git.hasHead(directory)).toBe(true);
    expect(await git.isWhole(directory, head)).toBe(true);
    expect(await git.files(directory)).toEqual({ head, changes: [] });
  });

  test("takes the place of what was there, and leaves nothing beside", async () => {
    using source = upstream();
    const directory = join(source.scratch, "recipes", "web");
    mkdirSync(join(source.scratch, "recipes", ".web.new"), { recursive: true });
    mkdirSync(directory);
    writeFileSync(join(directory, "old"), "");
    await git.clone(source.address, directory, seconds);
    expect(readdirSync(join(source.scratch, "recipes"))).toEqual(["web"]);
    expect(readdirSync(directory)).toEqual([".git"]);
  });

  test("that cannot be had leaves what is there as it is", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    const failing = git.clone(`${source.address}-not`, directory, seconds);
    await expect(failing).rejects.toThrow(/does not appear to be a git repository|does not exist/);
    expect((await git.files(directory))?.changes).toEqual([]);
    expect(readdirSync(join(source.scratch, "recipes"))).toEqual(["web"]);
  });

  test("is taken from https alone, unless told otherwise", async () => {
    using source = upstream();
    const failing = new Git().clone(source.address, join(source.scratch, "web"), seconds);
    await expect(failing).rejects.toThrow(/transport 'file' not allowed/);
  });

  test("that does not come ends in time", async () => {
    using source = upstream();
    const failing = git.clone(source.address, join(source.scratch, "web"), 0.001);
    const error = await failing.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GitFailure);
    expect(error).toMatchObject({ timedOut: true, words: "git did not end within 0.001 s" });
    expect(readdirSync(source.scratch)).toEqual(["upstream"]);
  });
});

describe("a fetch", () => {
  test("brings what is new, and leaves a tag that was moved where it was", async () => {
    using source = upstream();
    source.git("tag", "1.0.0");
    const directory = await cloneOf(source);
    const old = source.git("rev-parse", "HEAD");
    const newer = source.commit({ "compose.yml": "services: {app: {}}\n" });
    source.git("tag", "--force", "1.0.0");
    source.git("tag", "1.1.0");
    const words = expect.stringContaining("would clobber existing tag");
    await expect(git.fetch(directory, seconds)).rejects.toMatchObject({ status: 1, words });
    expect((await git.tags(directory))?.get("1.0.0")).toBe(old);
    expect((await git.tags(directory))?.get("1.1.0")).toBe(newer);
  });

  test("brings a commit that no branch leads to, when it is asked for by name", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    const lost = source.commit({ "compose.yml": "lost\n" });
    source.git("reset", "--quiet", "--hard", "HEAD~1");
    source.git("config", "uploadpack.allowAnySHA1InWant", "true");
    await git.fetch(directory, seconds);
    expect(await git.hasCommit(directory, lost)).toBe(false);
    await git.fetchCommit(directory, lost, seconds);
    expect(await git.isWhole(directory, lost)).toBe(true);
  });
});

/** Names that look like what git prints around them. */
const oddNames = [
  " ",
  "two words",
  "? ",
  "a\nb",
  'a"b',
  "-z",
  `# branch.oid ${"0".repeat(40)}`,
  "é",
];

/** Of letters that stand for much in what git prints; none that is there, and none of git's own. */
const fileName = fc
  .string({ unit: fc.constantFrom(...'ab1.?!u# \n\t"\\é'), minLength: 1, maxLength: 12 })
  .filter((name) => !/^\.+$/.test(name));

describe("damage to the files", () => {
  const damages: Readonly<Record<string, (directory: string) => void>> = {
    "a line more": (directory) => appendFileSync(join(directory, "compose.yml"), "x"),
    "a file less": (directory) => rmSync(join(directory, "compose.yml")),
    "a file more": (directory) => writeFileSync(join(directory, "compose.local.yml"), ""),
    "a program": (directory) => chmodSync(join(directory, "compose.yml"), 0o755),
    "an ignored file": (directory) => {
      mkdirSync(join(directory, ".git/info"), { recursive: true });
      writeFileSync(join(directory, ".git/info/exclude"), "secret.env\n");
      writeFileSync(join(directory, "secret.env"), "");
    },
    "a repository in it": (directory) => {
      mkdirSync(join(directory, "inner/.git/refs"), { recursive: true });
      writeFileSync(join(directory, "inner/file"), "");
    },
    "a broken index": (directory) => truncateSync(join(directory, ".git/index"), 20),
  };

  test.for(Object.entries(damages))("%s is seen, and undone", async ([, damage]) => {
    using source = upstream();
    const directory = await cloneOf(source);
    damage(directory);
    expect((await git.files(directory))?.changes).not.toEqual([]);
    await git.checkout(directory, source.git("rev-parse", "HEAD"));
    expect((await git.files(directory))?.changes).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual([".git", "abra.sh", "compose.yml"]);
  });

  test("is told by its paths, whatever they are called", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    const names = fc.array(fc.oneof(fc.constantFrom(...oddNames), fileName), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(names, async (added) => {
        await git.checkout(directory, source.git("rev-parse", "HEAD"));
        for (const name of added) writeFileSync(join(directory, name), "");
        appendFileSync(join(directory, "compose.yml"), "x");
        const changes = [...new Set([...added, "compose.yml"])].sort();
        expect((await git.files(directory))?.changes).toEqual(changes);
      }),
      { numRuns: 25 },
    );
  });

  test("is seen where git was told not to look", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    for (const flag of ["--assume-unchanged", "--skip-worktree"]) {
      source.git("-C", directory, "update-index", flag, "compose.yml");
      appendFileSync(join(directory, "compose.yml"), "x");
      expect((await git.files(directory))?.changes).toEqual(["compose.yml"]);
      await git.checkout(directory, source.git("rev-parse", "HEAD"));
      expect(readFileSync(join(directory, "compose.yml"), "utf8")).toBe("services: {}\n");
    }
  });
});

describe("damage to the repository", () => {
  test("is a clone no more: no HEAD, no configuration, a link, nothing", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    for (const file of ["HEAD", "config"]) {
      const content = readFileSync(join(directory, ".git", file));
      writeFileSync(join(directory, ".git", file), "[broken");
      expect(await git.isClone(directory), file).toBe(false);
      writeFileSync(join(directory, ".git", file), content);
    }
    rmSync(join(directory, ".git"), { recursive: true });
    writeFileSync(join(directory, ".git"), `gitdir: ${source.folder}/.git\n`);
    expect(await git.isClone(directory)).toBe(false);
    expect(await git.isClone(join(source.scratch, "nowhere"))).toBe(false);
  });

  test("is not what a git that was ended tells of", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    const commit = source.git("rev-parse", "HEAD");
    const said = { stdout: "", stderr: "", timedOut: false };
    const ended: Run = async () => ({ ...said, status: null, signal: "SIGKILL" });
    await expect(new Git({ run: ended }).isWhole(directory, commit)).rejects.toThrow(GitFailure);
    await expect(new Git({ run: ended }).isClone(directory)).rejects.toThrow(GitFailure);
  });

  /** Of a file that an archive has, and of one that it has not. */
  const files = ["compose.yml", "left-out.sh"];
  const objects: Readonly<Record<string, (object: string) => void>> = {
    emptied: (object) => truncateSync(object, 0),
    "cut short": (object) => truncateSync(object, Math.floor(statSync(object).size / 2)),
    "not as it was written": flipBit,
    gone: (object) => rmSync(object),
  };
  const cases = Object.entries(objects).flatMap(([how, damage]) =>
    files.map((file) => [file, how, damage] as const),
  );

  test.for(cases)("is seen before %s is wanted, whose object is %s", async ([file, , damage]) => {
    using source = upstream();
    const directory = await cloneOf(source);
    for (const [name, content] of Object.entries(leavingOut)) {
      writeFileSync(join(directory, name), content);
    }
    // What a clone gets lies in a pack: a commit of its own does not.
    source.git("-C", directory, "add", "--all");
    source.git("-C", directory, "commit", "--quiet", "--message=x");
    const blob = source.git("-C", directory, "rev-parse", `HEAD:${file}`);
    const commit = source.git("-C", directory, "rev-parse", "HEAD");
    expect(await git.isWhole(directory, commit)).toBe(true);
    const object = join(directory, ".git/objects", blob.slice(0, 2), blob.slice(2));
    chmodSync(object, 0o600);
    damage(object);
    expect(await git.hasCommit(directory, commit)).toBe(true);
    expect(await git.isWhole(directory, commit)).toBe(false);
    await expect(git.checkout(directory, commit)).rejects.toThrow(GitFailure);
  });

  test("is seen in a pack, in a file that an archive leaves out", async () => {
    using source = upstream();
    // Most of the pack, so that its middle is of it.
    const large = createHash("shake256", { outputLength: 8192 }).update("x").digest("base64");
    const commit = source.commit({ ...leavingOut, "left-out.sh": large });
    const directory = await cloneOf(source);
    expect(await git.isWhole(directory, commit)).toBe(true);
    const packs = join(directory, ".git/objects/pack");
    const pack = join(packs, readdirSync(packs).find((name) => name.endsWith(".pack")) ?? "");
    chmodSync(pack, 0o600);
    flipBit(pack);
    expect(await git.hasCommit(directory, commit)).toBe(true);
    expect(await git.isWhole(directory, commit)).toBe(false);
    await expect(git.checkout(directory, commit)).rejects.toThrow(GitFailure);
  });

  test("by a git that died is found by what it has left, wherever that lies", async () => {
    using source = upstream();
    const directory = await cloneOf(source);
    const locks = ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock"];
    const halves = ["objects/pack/tmp_pack_9Fq2Xd", "objects/tmp_obj_Ab3kLm"];
    const all = [...locks, ...halves, "refs/tags/1.0.0.lock", "refs/heads/ab/c.lock"].map(
      (each) => `.git/${each}`,
    );
    source.git("-C", directory, "tag", "tmp_is_a_tag");
    mkdirSync(join(directory, ".git/refs/heads/ab"));
    for (const lock of all) writeFileSync(join(directory, lock), "");
    mkdirSync(join(directory, ".git/HEAD.lock.lock/x"), { recursive: true });
    all.push(".git/HEAD.lock.lock");
    mkdirSync(join(directory, ".git/info"), { recursive: true });
    writeFileSync(join(directory, ".git/info/attributes"), "* text eol=crlf\n");
    all.push(".git/info/attributes");
    const beside = `../.${basename(directory)}.old`;
    mkdirSync(join(directory, beside, ".git"), { recursive: true });
    expect(await git.leftovers(directory)).toEqual([beside, ...all].toSorted());
    expect((await git.files(directory))?.changes).toEqual([]);
    await git.removeLeftovers(directory);
    await git.checkout(directory, source.git("rev-parse", "HEAD"));
    expect(await git.leftovers(directory)).toEqual([]);
  });
});

test("reading changes nothing, not even the index", async () => {
  using source = upstream();
  const directory = await cloneOf(source);
  const commit = source.git("rev-parse", "HEAD");
  // Touched only: a git that may write would note the new time.
  writeFileSync(join(directory, "compose.yml"), "services: {}\n");
  const before = snapshot(directory);
  mkdirSync(join(source.scratch, "out"));
  await git.export(directory, commit, join(source.scratch, "out"));
  await git.files(directory);
  await git.isWhole(directory, commit);
  await git.tags(directory);
  expect(snapshot(directory)).toEqual(before);
  expect(readdirSync(join(source.scratch, "out")).sort()).toEqual(["abra.sh", "compose.yml"]);
});

test("files of a commit are had from a clone whose own are dirty or gone", async () => {
  using source = upstream();
  const directory = await cloneOf(source);
  const commit = source.git("rev-parse", "HEAD");
  rmSync(join(directory, "compose.yml"));
  rmSync(join(directory, ".git/index"));
  const out = join(source.scratch, "out");
  mkdirSync(out);
  await git.export(directory, commit, out);
  expect(readFileSync(join(out, "compose.yml"), "utf8")).toBe("services: {}\n");
});

test("no hook and no setting of a clone starts a program", async () => {
  using source = upstream();
  const directory = await cloneOf(source);
  const trace = join(source.scratch, "trace");
  const script = `#!/bin/sh\ntouch ${trace}\n`;
  mkdirSync(join(directory, ".git/hooks"), { recursive: true });
  for (const hook of ["post-checkout", "post-index-change", "reference-transaction"]) {
    writeFileSync(join(directory, ".git/hooks", hook), script, { mode: 0o755 });
  }
  writeFileSync(join(source.scratch, "run"), script, { mode: 0o755 });
  source.git("-C", directory, "config", "core.fsmonitor", join(source.scratch, "run"));
  await git.files(directory);
  await git.fetch(directory, seconds);
  await git.checkout(directory, source.git("rev-parse", "HEAD"));
  expect(existsSync(trace)).toBe(false);
});

/** Files of a recipe, one of which is in no archive of it. */
const leavingOut = {
  ".gitattributes": "left-out.sh export-ignore\n",
  "compose.yml": "services: {app: {}}\n",
  "left-out.sh": "true\n",
};

/** In the middle of a file. */
function flipBit(path: string): void {
  const content = readFileSync(path);
  const middle = Math.floor(content.length / 2);
  content.writeUInt8(content.readUInt8(middle) ^ 1, middle);
  writeFileSync(path, content);
}

/** Every file of a folder with its content, but for the times. */
function snapshot(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path, readFileSync(path).toString("base64")]),
  );
}
