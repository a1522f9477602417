import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemErrorCode, userError } from "../core/errors.ts";
import type { Files } from "../impact/snapshot.ts";

/** The most that git may print at once, in bytes: far above what a thousand apps make. */
const maxBuffer = 256 * 1024 * 1024;

/**
 * The text files below some paths as they are committed at a ref. Reads objects only: nothing of that
 * ref runs, no hook, no filter, no code.
 */
export async function filesAt(root: string, ref: string, paths: readonly string[]): Promise<Files> {
  const commit = await commitOf(root, ref);
  const listing = await git(root, ["ls-tree", "-r", "-z", commit, "--", ...paths]);
  const blobs = listing
    .split("\0")
    .map((entry) => /^100(?:644|755) blob ([0-9a-f]+)\t(.+)$/s.exec(entry))
    .flatMap((match) => (match?.[1] && match[2] ? [{ id: match[1], path: match[2] }] : []));
  const contents = await readBlobs(
    root,
    blobs.map(({ id }) => id),
  );
  return new Map(blobs.map(({ id, path }) => [path, contents.get(id) ?? ""]));
}

/**
 * Paths below `paths` that differ between a ref and the work tree, untracked ones included. Compares
 * the bytes itself, line ends aside: `git diff` would run the filters that the attributes name.
 */
export async function changedSince(
  root: string,
  ref: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  const before = await filesAt(root, ref, paths);
  const listing = await git(root, [
    "ls-files",
    "--cached",
    "--others",
    "--exclude-standard",
    "-z",
    "--",
    ...paths,
  ]);
  const names = new Set([...before.keys(), ...listing.split("\0").filter((name) => name !== "")]);
  const withoutReturns = (text: string | undefined) => text?.replaceAll("\r\n", "\n");
  return [...names]
    .filter((name) => withoutReturns(before.get(name)) !== withoutReturns(textAt(join(root, name))))
    .sort();
}

/** The text of a file; undefined where no regular file can be read. */
function textAt(path: string): string | undefined {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

async function commitOf(root: string, ref: string): Promise<string> {
  try {
    const id = await git(root, [
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${ref}^{commit}`,
    ]);
    if (/^[0-9a-f]{40,64}$/.test(id.trim())) return id.trim();
  } catch (error) {
    // Git is silent about a ref that it does not know, and about nothing else.
    const complaint = stderrOf(error);
    if (systemErrorCode(error) !== undefined || complaint !== "") {
      throw userError(
        "--against",
        `needs git and a work tree of it: ${complaint.split("\n")[0] || messageOf(error)}`,
      );
    }
  }
  throw userError(
    "--against",
    `git knows no commit ${JSON.stringify(ref)} here: fetch it first, or name another (a shallow clone lacks older ones)`,
  );
}

/** What git printed before it failed; empty when it said nothing or never started. */
function stderrOf(error: unknown): string {
  if (!(error instanceof Error && "stderr" in error)) return "";
  return error.stderr instanceof Uint8Array ? Buffer.from(error.stderr).toString().trim() : "";
}

async function readBlobs(
  root: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const output = await git(root, ["cat-file", "--batch"], `${ids.join("\n")}\n`, "buffer");
  const contents = new Map<string, string>();
  let offset = 0;
  while (offset < output.length) {
    const lineEnd = output.indexOf(10, offset);
    const [id = "", type, size = "0"] = output
      .subarray(offset, lineEnd)
      .toString("utf8")
      .split(" ");
    if (type !== "blob") {
      throw userError("--against", `git lacks the object ${id} of that commit: run 'git fsck'`);
    }
    const start = lineEnd + 1;
    contents.set(id, output.subarray(start, start + Number(size)).toString("utf8"));
    offset = start + Number(size) + 1;
  }
  return contents;
}

/**
 * The commit that a branch, a tag or a pull request of a repository elsewhere leads to, by a name that git
 * finds it by; undefined when there is none of that name.
 *
 * @param ref as in `main`, `1.2.0`, `refs/pull/7/head`
 * @throws {UserError} when the repository cannot be asked
 */
export async function remoteCommit(
  root: string,
  address: string,
  ref: string,
): Promise<string | undefined> {
  let listing: string;
  try {
    listing = await git(root, ["ls-remote", "--", address, ref, `${ref}^{}`]);
  } catch (error) {
    throw userError(address, `cannot be asked: ${stderrOf(error) || messageOf(error)}`);
  }
  const found = listing.split("\n").map((line) => line.split("\t"));
  const named = (name: string) => found.find(([, each]) => each === name)?.[0];
  // What an annotated tag is of comes before the tag.
  for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, ref]) {
    const commit = named(name);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

async function git(root: string, args: readonly string[]): Promise<string>;
async function git(
  root: string,
  args: readonly string[],
  input: string,
  encoding: "buffer",
): Promise<Buffer>;
async function git(
  root: string,
  args: readonly string[],
  input?: string,
  encoding?: "buffer",
): Promise<string | Buffer> {
  const { execa } = await import("execa");
  // A file system monitor is a program of the checkout's own configuration.
  const result = await execa("git", ["-c", "core.fsmonitor=false", ...args], {
    cwd: root,
    encoding: "buffer",
    maxBuffer,
    timeout: 60_000,
    // Nobody is asked for a password.
    env: { GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" },
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
  const output = Buffer.from(result.stdout);
  return encoding === "buffer" ? output : output.toString("utf8");
}
