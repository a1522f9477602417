import { lstat, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineLines, type Line } from "../../lib/line.ts";
import { livingRuns } from "../../lib/living-runs.ts";
import { runPlaces, runRequestSchema } from "../../lib/run.ts";
import { say } from "../../lib/say.ts";
import { bytesOf, coreOf, filesIn, stripFolder } from "../content.ts";
import { problemIn } from "../defect.ts";
import { type Keep, type KeptRun, superseded } from "../retention.ts";
import {
  debtOf,
  exists,
  leaving,
  owedTearDown,
  readRequest,
  readResults,
  removeFolder,
  unborn,
} from "../run-folder.ts";
import { Steps } from "../steps.ts";
import { endLines, endRun, isDue, tryToRemove, warn } from "./end.ts";
import { mustBeRoot } from "./list.ts";

export const sweepLines = defineLines({
  "run-folder-strange": {
    as: "warning",
    says: "{path} is no run of ours, and stays: move it elsewhere, or remove it",
  },
  "run-folder-unreadable": {
    as: "warning",
    says: "{path} cannot be read ({problem}), and stays: see whether its disk is well; what is in it is a run's, and may be removed",
  },
});

/** Where the sweep looks. */
export interface Ground {
  readonly runs: string;
  readonly living: string;
}

/**
 * `cc-ci-run sweep <harness> --keep-days … --keep-runs … --keep-gib …`: ends runs that nobody was left to
 * end, and removes those that are not kept. What it cannot read it names, and goes on.
 *
 * @returns the exit status
 */
export async function sweepCommand(harness: string, keep: Keep): Promise<number> {
  mustBeRoot();
  await sweep({ runs: runPlaces.runs, living: runPlaces.living }, harness, keep, warn);
  return 0;
}

export async function sweep(
  ground: Ground,
  harness: string,
  keep: Keep,
  warn: (line: Line) => void,
): Promise<void> {
  const steps = new Steps("sweep");
  // First the folders, then who works on them: a folder has its name after its service has said so.
  const names = await namesOf(ground.runs);
  const living = new Set((await livingRuns(ground.living)).map(({ id }) => id));
  const over: KeptRun[] = [];
  const lastStart = performance.now() + tearDownsSeconds * 1000;
  for (const name of names) {
    const path = join(ground.runs, name);
    try {
      if (name.startsWith(leaving)) await steps.perform(() => rm(path, { recursive: true }));
      else if (name.startsWith(unborn)) await dropUnborn(ground, name, steps);
      else if (!isRunId(name) || !(await lstat(path)).isDirectory()) {
        warn(sweepLines.warning("run-folder-strange", { path }));
      } else if (!living.has(name)) {
        if (await mustEnd(path, name, warn)) {
          // What is owed to it is still noted in its folder.
          if (performance.now() >= lastStart) continue;
          await endLeft(path, name, harness, steps);
        }
        over.push(await keptRun(path, name));
      }
    } catch (error) {
      // Another one may have taken it away meanwhile.
      if (!(await exists(path).catch(() => true))) continue;
      warn(sweepLines.warning("run-folder-unreadable", { path, problem: problemIn(error) }));
    }
  }
  const { removed, stripped } = superseded(over, keep, new Date());
  for (const id of removed) {
    await tryToRemove({ id, folder: join(ground.runs, id) }, warn, async () => {
      await steps.perform(() => removeFolder(ground.runs, id));
      say(`removed the run ${id}`);
    });
  }
  for (const id of stripped) {
    const folder = join(ground.runs, id);
    await tryToRemove({ id, folder }, warn, async () => {
      await steps.perform(() => stripFolder(folder));
      say(`removed log and artefacts of the run ${id}, and kept what it came to`);
    });
  }
}

/** How long a service may take from making a folder to giving it its name, in milliseconds. */
const birthMilliseconds = 60_000;

/** What a service left that was ended before its run began. Its own last command removes it as a rule. */
async function dropUnborn(ground: Ground, name: string, steps: Steps): Promise<void> {
  const age = Date.now() - (await stat(join(ground.runs, name))).mtimeMs;
  if (age < birthMilliseconds) return;
  await steps.perform(() => removeFolder(ground.runs, name));
}

/** For how long one sweep begins teardowns, in seconds; its unit has 30 min, and a teardown takes 3 at most. */
const tearDownsSeconds = 20 * 60;

/** Whether a run has no end yet, or a teardown is owed to it that is worth a further try. */
async function mustEnd(folder: string, id: string, warn: (line: Line) => void): Promise<boolean> {
  if ((await readResults(folder)) === undefined) return true;
  const debt = await owedTearDown(folder);
  if (debt === undefined || isDue(debt, new Date())) return debt !== undefined;
  const { tries } = debt;
  warn(endLines.warning("tear-down-given-up", { id, tries, path: debtOf(folder) }));
  return false;
}

async function endLeft(folder: string, id: string, harness: string, steps: Steps): Promise<void> {
  if ((await readRequest(folder)) === undefined) throw new Error("its request.json says nothing");
  // The unit has a /tmp of its own, which goes with it.
  const home = await mkdtemp(join(tmpdir(), "cc-ci-run-"));
  const reason = "the host went down in the middle of it, or its teardown was ended";
  await endRun({ id, folder, home }, harness, steps, reason);
  await rm(home, { recursive: true, force: true });
}

async function keptRun(folder: string, id: string): Promise<KeptRun> {
  const results = await readResults(folder);
  const endedAt = results?.endedAt ?? (await stat(folder)).mtime.toISOString();
  const files = await filesIn(folder);
  const isOwed = (await owedTearDown(folder)) !== undefined;
  return { id, endedAt, bytes: bytesOf(files), coreBytes: bytesOf(coreOf(files)), isOwed };
}

async function namesOf(folder: string): Promise<readonly string[]> {
  return (await exists(folder)) ? (await readdir(folder)).toSorted() : [];
}

function isRunId(name: string): boolean {
  return runRequestSchema.shape.id.safeParse(name).success;
}
