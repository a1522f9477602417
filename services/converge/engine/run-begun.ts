import { join } from "node:path";
import type { Files } from "../adapters/files.ts";
import { stateFolder } from "./places.ts";

/**
 * There while a run goes on, with the time when it began. What a shutdown or a power cut ended could
 * write nothing down, and systemd forgets at a boot how it ended: this is left of it.
 */
function runBegunPath(piece: string): string {
  return join(stateFolder(piece), "run-begun");
}

/** A run that cannot write this goes on: no more than a word of status depends on it. */
export async function noteRunBegun(files: Files, piece: string, at: Date): Promise<void> {
  await files.write(runBegunPath(piece), `${at.toISOString()}\n`).catch(() => undefined);
}

export async function noteRunEnded(files: Files, piece: string): Promise<void> {
  await files.remove(runBegunPath(piece)).catch(() => undefined);
}

/** When the run began that has not come to its end, ISO 8601; undefined when there is none. */
export async function readRunBegun(files: Files, piece: string): Promise<string | undefined> {
  const content = await files.read(runBegunPath(piece)).catch(() => undefined);
  const text = content?.toString("utf8").trim();
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
