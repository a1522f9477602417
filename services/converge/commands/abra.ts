import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import type { ResourceOf } from "../desired-state.ts";
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
 * arguments. An app is named by its domain or by its piece.
 *
 * @returns abra's own exit status
 */
export async function abraCommand(name: string, args: readonly string[]): Promise<number> {
  mustBeRoot();
  const app = await findApp(name);
  const { status, signal, error } = spawnSync("abra", args, {
    stdio: "inherit",
    // Nowhere where abra could find a configuration of somebody else.
    cwd: "/",
    env: { ...process.env, ABRA_DIR: app.abraDirectory, HOME: app.abraDirectory },
  });
  if (error !== undefined) throw abraLines.stop("abra-missing", { problem: error.message });
  // As a shell has it for a program that a signal ended.
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function findApp(name: string): Promise<ResourceOf<"stack">> {
  const { files } = realWorld();
  const { pieces } = await choosePieces(files, undefined);
  const domains: string[] = [];
  for (const piece of pieces.filter(({ stacks }) => stacks.length > 0)) {
    const { resources } = await readDesired(files, filled(piece.file));
    for (const resource of resources) {
      if (resource.kind !== "stack") continue;
      if (resource.domain === name || piece.name === name) return resource;
      domains.push(resource.domain);
    }
  }
  throw abraLines.stop("no-such-app", { name, names: domains.join(", ") || "none" });
}
