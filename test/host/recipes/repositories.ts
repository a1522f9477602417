import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { releases } from "./releases.ts";

/** Of every commit and tag: the same sources give the same commit on any machine, at any time. */
const author = "Recipe Maintainer <maintainer@example.org>";
const firstCommitSeconds = Date.UTC(2026, 0, 1) / 1000;

export type RecipeName = keyof typeof releases;

/** A bare repository, and the commit that each of its annotated tags leads to. */
export interface RecipeRepository {
  readonly folder: string;
  readonly commits: Readonly<Record<string, string>>;
}

/**
 * Makes `<folder>/<name>.git` from the recipe's files and its list of releases: one commit and one
 * annotated tag for each, the last of them on `main`.
 *
 * @throws {Error} when git is missing, or the repository is there already
 */
export function createRepository(folder: string, name: RecipeName): RecipeRepository {
  const bare = join(folder, `${name}.git`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(bare);
  git(["init", "--quiet", "--bare", "--initial-branch=main", bare]);
  git(["-C", bare, "fast-import", "--quiet"], fastImport(name));
  const tags = git([
    "-C",
    bare,
    "for-each-ref",
    "--format=%(refname:strip=2) %(*objectname)",
    "refs/tags",
  ]);
  const commits = Object.fromEntries(
    tags
      .trim()
      .split("\n")
      .map((line) => line.split(" ")),
  );
  return { folder: bare, commits };
}

/** All of them, by name. */
export function createRepositories(folder: string): Readonly<Record<RecipeName, RecipeRepository>> {
  return {
    traefik: createRepository(folder, "traefik"),
    web: createRepository(folder, "web"),
    drone: createRepository(folder, "drone"),
    probe: createRepository(folder, "probe"),
  };
}

/** What `git fast-import` reads: the whole history of a recipe as one text. */
function fastImport(name: RecipeName): string {
  const commands: string[] = [];
  let files = readFolder(join(import.meta.dirname, name));
  releases[name].forEach(({ version, says, change }, index) => {
    files = change(files);
    const when = `${author} ${firstCommitSeconds + index * 86_400} +0000`;
    commands.push(
      "commit refs/heads/main",
      `mark :${index + 1}`,
      `committer ${when}`,
      data(`${says}\n`),
      ...(index === 0 ? [] : [`from :${index}`]),
      "deleteall",
      ...Object.entries(files).flatMap(([path, text]) => [`M 100644 inline ${path}`, data(text)]),
      `tag ${version}`,
      `from :${index + 1}`,
      `tagger ${when}`,
      data(`${says}\n`),
    );
  });
  return `${commands.join("\n")}\n`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function readFolder(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}

function git(args: readonly string[], input = ""): string {
  // Nothing that this machine's user or administrator has configured may reach a commit.
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", args, { input, env, encoding: "utf8" });
}
