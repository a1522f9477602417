import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real git repository in a folder of its own, to clone recipes from. */
export interface Upstream extends Disposable {
  /** Where clones and the like may be put; goes with the repository. */
  readonly scratch: string;
  readonly address: string;
  readonly folder: string;
  git(...args: readonly string[]): string;
  /** Writes files, and commits them. */
  commit(files: Readonly<Record<string, string>>): string;
}

/** Empty but for a first commit. */
export function upstream(): Upstream {
  const scratch = mkdtempSync(join(tmpdir(), "cc-ci-upstream-"));
  const folder = join(scratch, "upstream");
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      env: {
        ...{ PATH: process.env.PATH, HOME: scratch, GIT_CONFIG_NOSYSTEM: "1" },
        ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.org" },
        ...{ GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.org" },
      },
    }).trim();
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", folder]);
  const commit = (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    git("add", "--all");
    git("commit", "--quiet", "--allow-empty", "--message=x");
    return git("rev-parse", "HEAD");
  };
  commit({ "compose.yml": "services: {}\n", "abra.sh": "export APP_VERSION=v1\n" });
  return {
    ...{ scratch, folder, git, commit },
    address: `file://${folder}`,
    [Symbol.dispose]: () => rmSync(scratch, { recursive: true, force: true }),
  };
}
