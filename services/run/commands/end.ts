import { join } from "node:path";
import { defineLines, type Line } from "../../lib/line.ts";
import { type RunNote, readNote } from "../../lib/living-runs.ts";
import { say } from "../../lib/say.ts";
import { artefactLimit, bytesOf, excessOf, filesIn, removeFiles } from "../content.ts";
import { problemIn } from "../defect.ts";
import { tearDown } from "../harness.ts";
import { instanceIn } from "../instance.ts";
import { killOthers } from "../own-group.ts";
import {
  type Debt,
  exists,
  owedTearDown,
  oweTearDown,
  readRequest,
  readResults,
  removeFolder,
  settleTearDown,
  unborn,
  unbornFolder,
  writeAborted,
} from "../run-folder.ts";
import { noteInLog } from "../run-log.ts";
import { Steps } from "../steps.ts";

export const endLines = defineLines({
  "tear-down-failed": {
    as: "warning",
    says: "what the run {id} left could not be taken away: its teardown {how}; it was tried {tries} times, and is again by cc-ci-runs.service, after {eager} tries once a day",
  },
  "artefacts-dropped": {
    as: "warning",
    says: "the run {id} left more than {mebibytes} MiB or {most} files: its {files} largest files, {bytes} bytes, were dropped",
  },
  "run-files-stay": {
    as: "warning",
    says: "files of the run {id} could not be removed ({problem}), and stay for now: see what is in the way below {path}",
  },
  "tear-down-not-noted": {
    as: "warning",
    says: "how the teardown of the run {id} ended could not be noted ({problem}): it is tried again, as if it had not been",
  },
  "tear-down-given-up": {
    as: "warning",
    says: "what the run {id} left is still there: its teardown did not succeed in {tries} tries, and has one a day from now on; take it away by hand, then remove {path}",
  },
});

/**
 * `cc-ci-run end <harness>`: what the service of a run does last, however it ended. Kills what is left of the
 * run, lets the harness take away what else there is, and says what the run came to when nobody else has.
 * It may be killed at any time: `sweep` does the rest.
 *
 * @returns the exit status
 */
export async function endCommand(harness: string): Promise<number> {
  const instance = instanceIn(process.env, "cc-ci-run end");
  const { runsFolder, runtimeFolder, invocation } = instance;
  const steps = new Steps("end");
  const killed = await steps.perform(killOthers);
  if (killed > 0) say(`killed what was left of it: ${killed} processes`);
  const note = await readNote(runtimeFolder);
  if (await exists(unbornFolder(runsFolder, invocation))) {
    // It never was a run, or its id was another one's.
    await steps.perform(() => removeFolder(runsFolder, `${unborn}${invocation}`));
  } else if (note !== undefined) {
    const [folder, home] = [join(runsFolder, note.id), join(runtimeFolder, "home")];
    await endRun({ id: note.id, folder, home }, harness, steps, reasonIn(note));
  }
  return 0;
}

/** How often a teardown is tried at once: at the run's end, then with each sweep. */
const eagerTearDowns = 6;

/** Between two later ones, in milliseconds: a day. What was in the way may be gone by then. */
const patientMilliseconds = 86_400_000;

/** Whether a teardown that is owed is worth a further try by now. Pure. */
export function isDue({ tries, triedAt }: Debt, now: Date): boolean {
  if (tries < eagerTearDowns || triedAt === undefined) return true;
  const age = now.getTime() - Date.parse(triedAt);
  // A clock that was ahead puts nothing off.
  return age < 0 || age >= patientMilliseconds;
}

/** A run that nobody works on any more. */
interface LeftRun {
  readonly id: string;
  readonly folder: string;
  readonly home: string;
}

/** Takes away what a run left, and says what it came to when nobody has. */
export async function endRun(
  { id, folder, home }: LeftRun,
  harness: string,
  steps: Steps,
  reason: string,
): Promise<void> {
  const request = await readRequest(folder);
  // Without one there was nothing that could be done, or its folder was taken away.
  if (request === undefined) return;
  // First, for it may have left no room for whatever comes next.
  await dropExcess(folder, id, steps);
  const failure = await steps.perform(() => tearDown(harness, folder, home, say));
  const tries = ((await owedTearDown(folder))?.tries ?? 0) + 1;
  const debt = { tries, triedAt: new Date().toISOString() };
  await steps
    .perform(() => (failure === undefined ? settleTearDown(folder) : oweTearDown(folder, debt)))
    .catch((error: unknown) => {
      // What it came to is said all the same.
      warn(endLines.warning("tear-down-not-noted", { id, problem: problemIn(error) }));
    });
  if (failure !== undefined) {
    warn(endLines.warning("tear-down-failed", { id, how: failure, tries, eager: eagerTearDowns }));
  }
  await dropExcess(folder, id, steps);
  if ((await readResults(folder)) !== undefined) return;
  const more = failure === undefined ? "" : `, and its teardown ${failure}`;
  await steps.perform(() => writeAborted(folder, request, `${reason}${more}`));
  say(`run ${id} is aborted: ${reason}${more}`, "notice");
}

/** Drops what is over the limit of one run, and says so in its log too; the end of the run goes on in any case. */
async function dropExcess(folder: string, id: string, steps: Steps): Promise<void> {
  await tryToRemove({ id, folder }, warn, async () => {
    const excess = excessOf(await filesIn(folder));
    if (excess.length === 0) return;
    const { bytes, files } = artefactLimit;
    const line = endLines.warning("artefacts-dropped", {
      ...{ id, mebibytes: bytes / 1024 ** 2, most: files },
      ...{ files: excess.length, bytes: bytesOf(excess) },
    });
    await steps.perform(async () => {
      // There may be no room for the note before.
      await removeFiles(folder, excess);
      await noteInLog(folder, line.text);
    });
    warn(line);
  });
}

/** One file that does not go keeps nobody from what else there is to do. */
export async function tryToRemove(
  { id, folder }: Omit<LeftRun, "home">,
  tell: (line: Line) => void,
  remove: () => Promise<void>,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    tell(endLines.warning("run-files-stay", { id, problem: problemIn(error), path: folder }));
  }
}

export function warn({ id, text }: Line): void {
  say(`warning [${id}]: ${text}`, "warning");
}

/** Why a run has no results, from what systemd tells the last command of a service (systemd.exec(5)). */
function reasonIn({ isCancelled }: RunNote): string {
  return abortReason(process.env, isCancelled);
}

/** @param environment with SERVICE_RESULT, EXIT_CODE and EXIT_STATUS */
export function abortReason(
  environment: Readonly<Record<string, string | undefined>>,
  isCancelled: boolean,
): string {
  const { SERVICE_RESULT: result = "", EXIT_CODE: code, EXIT_STATUS: status = "" } = environment;
  if (result === "timeout") return "it took longer than it may";
  if (isCancelled) return "it was cancelled: who asked for it went away";
  if (result === "oom-kill") return "the host had no memory left for it";
  if (code === "killed" || code === "dumped") return `its service was killed by SIG${status}`;
  if (result !== "success") return `its service failed (${result}, status ${status})`;
  return "it ended without results, or was stopped on the host";
}
