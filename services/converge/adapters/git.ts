import { lstat, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { type Ending, endedHow, lastWords, type Run, runProgram } from "./program.ts";

/** What git said when it did not do what it was asked to. */
export class GitFailure extends Error {
  /** Its last words; never empty. */
  readonly words: string;
  /** 1 when all was said and done, and a part refused; 128 when it gave up; null when it was ended. */
  readonly status: number | null;
  /** By us, after its seconds. */
  readonly timedOut: boolean;

  constructor(ending: Ending, seconds: number) {
    const words = lastWords(ending);
    super(`git ${endedHow(ending, seconds)}: ${words}`);
    this.words = ending.timedOut || words === "" ? `git ${endedHow(ending, seconds)}` : words;
    this.status = ending.status;
    this.timedOut = ending.timedOut;
  }
}

/** What the files of a clone are like. */
export interface CheckedOut {
  /** The commit that they were last brought to; undefined before the first time. */
  readonly head: string | undefined;
  /** Paths that are not as in it, those that git ignores included. */
  readonly changes: readonly string[];
}

interface GitOptions {
  /** What git may speak to the outside. @default https alone */
  readonly protocols?: readonly string[];
  readonly run?: Run;
}

/** For commands that stay on this machine, in seconds: recipes are small. */
const localSeconds = 60;

/** Below this many bytes a second for this many seconds, a server counts as hanging. */
const slow = { bytes: 100, seconds: 30 } as const;

/**
 * Settings of every command: nothing that lies in a clone, or in somebody's own configuration, may
 * start a program or change what is seen. The machine's /etc/gitconfig still counts: it may name a
 * proxy or a certificate authority.
 */
const settings: Readonly<Record<string, string>> = {
  "advice.detachedHead": "false",
  "core.attributesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.excludesFile": "/dev/null",
  "core.fileMode": "true",
  "core.fsmonitor": "false",
  "core.hooksPath": "/dev/null",
  "core.sparseCheckout": "false",
  "credential.helper": "",
  "fetch.recurseSubmodules": "false",
  "gc.auto": "0",
  "http.lowSpeedLimit": String(slow.bytes),
  "http.lowSpeedTime": String(slow.seconds),
  "maintenance.auto": "false",
  "safe.directory": "*",
  "submodule.recurse": "false",
};

/** What a host may have set for all that speaks HTTPS. */
const passedOn = [
  ...["HOME", "PATH", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"],
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
];

/**
 * Clones of recipes, each named by the folder of its files. It decides nothing; whatever git does not
 * do is thrown as `GitFailure`. Reading changes nothing, not even the index.
 */
export class Git {
  readonly #protocols: readonly string[];
  readonly #run: Run;

  constructor({ protocols = ["https"], run = runProgram }: GitOptions = {}) {
    this.#protocols = protocols;
    this.#run = run;
  }

  // What is

  /** Whether git can make sense of what lies there. */
  async isClone(directory: string): Promise<boolean> {
    // A file or link by either name would lead to files of somebody else.
    if (!(await isRealFolder(directory))) return false;
    if (!(await isRealFolder(join(directory, ".git")))) return false;
    return (await this.#try(directory, ["rev-parse", "--git-dir"])) !== undefined;
  }

  /**
   * What a git that died has left: files by which it keeps others out, and halves of what it fetched;
   * and attributes that a person has put beside those of the recipe, which change what a file holds.
   * Relative to the clone, sorted.
   */
  async leftovers(directory: string): Promise<readonly string[]> {
    const found = await leftIn(join(directory, ".git"));
    for (const folder of scratchOf(directory)) if (await isRealFolder(folder)) found.push(folder);
    return found.map((path) => relative(directory, path)).sort();
  }

  /** The address that it was cloned from; undefined when there is none, or more than one. */
  async origin(directory: string): Promise<string | undefined> {
    const args = ["config", "--local", "--get-all", "remote.origin.url"];
    const lines = (await this.#try(directory, args))?.split("\n").filter((line) => line !== "");
    return lines?.length === 1 ? lines[0] : undefined;
  }

  /**
   * The commit that each tag leads to, undefined for one that leads elsewhere. Undefined as a whole
   * when git cannot read what a tag leads to.
   */
  async tags(directory: string): Promise<ReadonlyMap<string, string | undefined> | undefined> {
    const itself = "%(objecttype) %(objectname)";
    // What an annotated one is of; nothing for any other.
    const behind = "%(*objecttype) %(*objectname)";
    const format = `--format=%(refname:strip=2) ${itself} ${behind}`;
    const text = await this.#try(directory, ["for-each-ref", format, "refs/tags"]);
    return text === undefined ? undefined : new Map(text.split("\n").filter(Boolean).map(tagOf));
  }

  async hasHead(directory: string): Promise<boolean> {
    return (await this.#commit(directory, "HEAD")) !== undefined;
  }

  async hasCommit(directory: string, commit: string): Promise<boolean> {
    return (await this.#commit(directory, commit)) === commit;
  }

  /** Whether every file of a commit can be read: each is unpacked, as a checkout would. */
  async isWhole(directory: string, commit: string): Promise<boolean> {
    // An archive leaves out what .gitattributes tells it to, which it then reads where it works: here
    // there are none.
    const elsewhere = ["-C", ".git/objects", "--work-tree=."];
    const options = ["--worktree-attributes", "--format=tar", "--output=/dev/null"];
    const args = [...elsewhere, "archive", ...options, commit];
    return (await this.#try(directory, args)) !== undefined;
  }

  /** What the files are like; undefined when git cannot tell. */
  async files(directory: string): Promise<CheckedOut | undefined> {
    const options = ["--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all"];
    const status = await this.#try(directory, ["status", ...options, "--ignored=matching"]);
    const listing = await this.#try(directory, ["ls-files", "-v", "-z"]);
    if (status === undefined || listing === undefined) return undefined;
    const entries = status.split("\0").filter((entry) => entry !== "");
    const head = entries.map((entry) => /^# branch\.oid ([0-9a-f]{40})$/.exec(entry)?.[1]);
    const differing = entries.flatMap((entry) => pathIn(entry) ?? []);
    // A file that git was told not to look at: small letters, and S.
    const hidden = listing.split("\0").filter((entry) => /^[a-zS] /.test(entry));
    const paths = new Set([...differing, ...hidden.map((each) => each.slice(2))]);
    return { head: head.find((each) => each !== undefined), changes: [...paths].sort() };
  }

  /** The text of a file of a commit; undefined when it has none of that name. */
  async read(directory: string, commit: string, file: string): Promise<string | undefined> {
    return await this.#try(directory, ["cat-file", "blob", `${commit}:${file}`]);
  }

  /** Writes the files of a commit into an empty folder, whatever the clone's own files are like. */
  async export(directory: string, commit: string, folder: string): Promise<void> {
    const scratch = await mkdtemp(join(tmpdir(), "cc-ci-index-"));
    try {
      const index = { GIT_INDEX_FILE: join(scratch, "index") };
      await this.#ask(directory, ["read-tree", commit], index);
      await this.#ask(directory, ["checkout-index", "--all", `--prefix=${folder}/`], index);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  // What changes it: called from a call's `perform` alone

  async removeLeftovers(directory: string): Promise<void> {
    for (const path of await this.leftovers(directory)) {
      await rm(join(directory, path), { recursive: true, force: true });
    }
  }

  /** Clones without files, beside, and puts the clone into the place of what is there once whole. */
  async clone(address: string, directory: string, seconds: number): Promise<void> {
    const [fresh, old] = scratchOf(directory);
    for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
    try {
      // No template: nothing of this machine's is to be in it.
      const options = ["--no-checkout", "--origin=origin", "--template=", "--quiet"];
      await this.#reach(["clone", ...options, "--", address, fresh], seconds);
      await moveAway(directory, old);
      try {
        await rename(fresh, directory);
      } catch (error) {
        await moveAway(old, directory);
        throw error;
      }
    } finally {
      for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Gets branches and new tags. A tag that is here stays what it is, wherever it was moved to: then git
   * ends with 1, and all else is here.
   */
  async fetch(directory: string, seconds: number): Promise<void> {
    const wanted = ["+refs/heads/*:refs/remotes/origin/*", "refs/tags/*:refs/tags/*"];
    await this.#fetch(directory, wanted, seconds);
  }

  /** Gets one commit, by its full name, from a server that gives one out. */
  async fetchCommit(directory: string, commit: string, seconds: number): Promise<void> {
    await this.#fetch(directory, [commit], seconds);
  }

  /** Brings the files to a commit, and removes every other. */
  async checkout(directory: string, commit: string): Promise<void> {
    // Whatever git was told of single files is in its index, damage too: it makes a new one.
    await rm(join(directory, ".git/index"), { recursive: true, force: true });
    await this.#ask(directory, ["checkout", "--quiet", "--force", "--detach", commit]);
    await this.#ask(directory, ["clean", "--quiet", "-ffdx"]);
  }

  async #fetch(directory: string, wanted: readonly string[], seconds: number): Promise<void> {
    const options = ["--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
    const args = [...inside(directory), "fetch", ...options, "origin", ...wanted];
    await this.#reach(args, seconds);
  }

  async #commit(directory: string, name: string): Promise<string | undefined> {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
    const commit = (await this.#try(directory, args))?.trim();
    return commit !== undefined && /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
  }

  /** Undefined for every no that git gives; one that was ended, such as for lack of memory, gives none. */
  async #try(directory: string, args: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#ask(directory, args);
    } catch (error) {
      if (error instanceof GitFailure && error.status !== null) return undefined;
      throw error;
    }
  }

  async #ask(
    directory: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return await this.#git([...inside(directory), ...args], localSeconds, {
      GIT_OPTIONAL_LOCKS: "0",
      GIT_ALLOW_PROTOCOL: "none",
      ...env,
    });
  }

  async #reach(args: readonly string[], seconds: number): Promise<void> {
    await this.#git(args, seconds, { GIT_ALLOW_PROTOCOL: this.#protocols.join(":") });
  }

  async #git(
    args: readonly string[],
    seconds: number,
    env: Readonly<Record<string, string>>,
  ): Promise<string> {
    const given = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    const ending = await this.#run({
      program: "git",
      args: [...given, ...args],
      env: {
        ...Object.fromEntries(
          passedOn.flatMap((key) => {
            const value = process.env[key];
            return value === undefined ? [] : [[key, value]];
          }),
        ),
        LC_ALL: "C.UTF-8",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_NO_REPLACE_OBJECTS: "1",
        GIT_TERMINAL_PROMPT: "0",
        ...env,
      },
      seconds,
    });
    if (ending.status === 0) return ending.stdout;
    throw new GitFailure(ending, seconds);
  }
}

/** A line of `for-each-ref`, in the format of `tags`. */
function tagOf(line: string): readonly [string, string | undefined] {
  const [tag = "", type, name, typeBehind, nameBehind] = line.split(" ");
  if (type === "commit") return [tag, name];
  return [tag, typeBehind === "commit" ? nameBehind : undefined];
}

/** How many members stand before the path, by what an entry of `git status` begins with. */
const membersBeforePath: Readonly<Record<string, number>> = { "1": 8, u: 10, "?": 1, "!": 1 };

/** The path of an entry that `git status --porcelain=v2` prints; undefined for a heading. */
function pathIn(entry: string): string | undefined {
  const members = membersBeforePath[entry[0] ?? ""];
  return members === undefined ? undefined : entry.split(" ").slice(members).join(" ");
}

/** Named outright, so that git never takes a repository further up for this one. */
function inside(directory: string): readonly string[] {
  return ["-C", directory, `--git-dir=${join(directory, ".git")}`, `--work-tree=${directory}`];
}

/**
 * Where a clone is made, and where what was there goes meanwhile: beside the folder, on the same file
 * system, and hidden from who lists recipes.
 */
function scratchOf(directory: string): readonly [string, string] {
  const beside = (end: string) => join(dirname(directory), `.${basename(directory)}.${end}`);
  return [beside("new"), beside("old")];
}

async function moveAway(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

async function isRealFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Every `*.lock` in a repository: git allows no reference whose name ends so. */
async function leftIn(repository: string): Promise<string[]> {
  if (!(await isRealFolder(repository))) return [];
  const entries = await readdir(repository, { withFileTypes: true, recursive: true });
  return entries
    .filter(
      ({ name, parentPath }) =>
        name.endsWith(".lock") ||
        (name === "attributes" && parentPath === join(repository, "info")) ||
        // Below refs, it is the name of a branch or tag.
        (name.startsWith("tmp_") && parentPath.startsWith(join(repository, "objects"))),
    )
    .map((entry) => join(entry.parentPath, entry.name));
}
