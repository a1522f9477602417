import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { writeDurably } from "./durable-file.ts";
import { namesIn } from "./names-in.ts";
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

/** What goes on while no run may begin: all of it, and not what was there by chance. */
export interface HeldRuns {
  readonly runs: readonly LivingRun[];
  /** Services that did not say in time which run is theirs. */
  readonly nameless: readonly string[];
}

/** A client may take 10 s to say what it wants. */
const namelessSeconds = 15;

/**
 * The runs that go on, once somebody holds runs (holds.ts): those included whose services had been started and
 * had not looked for the hold yet. Later ones see it.
 *
 * @param units the services of runs that systemd knows, whatever they are at
 */
export async function heldRuns(
  living: string,
  units: () => Promise<readonly string[]>,
  limitSeconds = namelessSeconds,
): Promise<HeldRuns> {
  const before = await units();
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    // First the notes: a service that is gone after that had none to write any more.
    const runs = await livingRuns(living);
    const named = new Set(runs.map(({ unit }) => unit));
    const there = new Set(await units());
    const nameless = before.filter((unit) => there.has(unit) && !named.has(unit));
    if (nameless.length === 0 || performance.now() > end) return { runs, nameless };
    await sleep(100);
  }
}
