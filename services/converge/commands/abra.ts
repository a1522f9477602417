import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { readDesired } from "../engine/installed.ts";
import { defineLines } from "../engine/line.ts";
import { choosePieces, filled, mustBeRoot } from "./pieces.ts";
import { realWorld } from "./world.ts";

export const abraLines = defineLines({
  "no-such-app": {
    as: "refused",
    says: "no app of this host is called '{name}': there are {names}",
  },
  "abra-missing": {
    as: "failed",
    says: "abra cannot be started ({problem}): it comes with the host's configuration (cc-ci.packages.abra): run 'nixos-rebuild switch'",
  },
});

/**
 * `converge abra <app> …`: abra with the state folder of that app, and all that follows as its
 * arguments. An app is named by its domain or by its piece; what left the configuration by its domain,
 * as long as its folder is there.
 *
 * @returns abra's own exit status
 */
export async function abraCommand(name: string, args: readonly string[]): Promise<number> {
  mustBeRoot();
  const abraDirectory = await findDirectory(name);
  const { status, signal, error } = spawnSync("abra", args, {
    stdio: "inherit",
    // Nowhere where abra could find a configuration of somebody else.
    cwd: "/",
    env: { ...process.env, ABRA_DIR: abraDirectory, HOME: abraDirectory },
  });
  if (error !== undefined) throw abraLines.stop("abra-missing", { problem: error.message });
  // As a shell has it for a program that a signal ended.
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Nothing that leads out of a folder. */
const domainPattern = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

async function findDirectory(name: string): Promise<string> {
  const { files } = realWorld();
  const { all: pieces } = await choosePieces(files);
  const domains: string[] = [];
  for (const piece of pieces.filter(({ stacks }) => stacks.length > 0)) {
    const { resources } = await readDesired(files, filled(piece.file));
    for (const resource of resources) {
      if (resource.kind !== "stack") continue;
      if (resource.domain === name || piece.name === name) return resource.abraDirectory;
      // One folder an app, all of them side by side.
      const former = join(dirname(resource.abraDirectory), name);
      if (domainPattern.test(name) && (await files.isFolder(former))) return former;
      domains.push(resource.domain);
    }
  }
  throw abraLines.stop("no-such-app", { name, names: domains.join(", ") || "none" });
}
