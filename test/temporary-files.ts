// Run once, before all files and after them, by the process that starts those that run them.
import { rmSync } from "node:fs";
import { makeScratch } from "./scratch.ts";

let folder = "";

/** Has all temporary files of a run in one folder: what one that was killed leaves there, the next one removes. */
export function setup(): void {
  folder = makeScratch();
  process.env.TMPDIR = folder;
  // Whoever keeps a home in git still has no repository there.
  process.env.GIT_CEILING_DIRECTORIES = folder;
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
