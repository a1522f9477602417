import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writeDurably } from "./durable-file.ts";
import { isNotThere } from "./not-there.ts";
import { runRequestSchema } from "./run.ts";

const noteSchema = z.object({
  id: runRequestSchema.shape.id,
  recipe: runRequestSchema.shape.recipe,
  /** When it was asked for, ISO 8601. */
  since: z.iso.datetime(),
  /** Whether who asked for it went away before its end. */
  isCancelled: z.boolean(),
});

/**
 * What the service of a run remembers of it, in its folder below /run: the service has no name of ours,
 * and what ends a run must know which one. It is there before the run's own folder gets its name, and
 * goes when the service has ended.
 */
export type RunNote = Readonly<z.infer<typeof noteSchema>>;

function noteOf(runtimeFolder: string): string {
  return join(runtimeFolder, "run.json");
}

export async function writeNote(runtimeFolder: string, note: RunNote): Promise<void> {
  await writeDurably(noteOf(runtimeFolder), `${JSON.stringify(note)}\n`);
}

/** Undefined where there is none, or none that can be read. */
export async function readNote(runtimeFolder: string): Promise<RunNote | undefined> {
  try {
    const text = await readFile(noteOf(runtimeFolder), "utf8");
    return noteSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function removeNote(runtimeFolder: string): Promise<void> {
  await rm(noteOf(runtimeFolder), { force: true });
}

/** A run that goes on, or is being ended. */
export interface LivingRun extends RunNote {
  readonly unit: string;
}

/** The runs that go on, the oldest first. @param living the folder of the services' folders */
export async function livingRuns(living: string): Promise<readonly LivingRun[]> {
  const runs: LivingRun[] = [];
  for (const name of await namesIn(living)) {
    const note = await readNote(join(living, name));
    if (note !== undefined) runs.push({ ...note, unit: `cc-ci-run@${name}.service` });
  }
  return runs.toSorted((one, other) => (one.since < other.since ? -1 : 1));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotThere(error)) return [];
    throw error;
  }
}
