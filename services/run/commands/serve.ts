import { join } from "node:path";
import { holderOf } from "../../lib/holds.ts";
import { defineLines, Stop } from "../../lib/line.ts";
import { type RunNote, removeNote, writeNote } from "../../lib/living-runs.ts";
import type { RunRequest } from "../../lib/run.ts";
import { say } from "../../lib/say.ts";
import { Client } from "../client.ts";
import { defectOf } from "../defect.ts";
import { type HarnessEnd, runHarness } from "../harness.ts";
import { type Instance, instanceIn } from "../instance.ts";
import {
  claimFolder,
  exists,
  prepareFolder,
  readResults,
  removeFolder,
  unborn,
  unbornFolder,
  writeAborted,
} from "../run-folder.ts";
import { RunLog } from "../run-log.ts";
import { Steps } from "../steps.ts";

export const serveLines = defineLines({
  "run-id-used": {
    as: "refused",
    says: "there is a run {id} already, and a run happens once: start a new build",
  },
  "run-not-passed": {
    as: "failed",
    says: "the run {id} has not passed: {reason}",
  },
  "run-without-results": {
    as: "failed",
    says: "the run {id} left no results: its harness {how}; /var/lib/cc-ci/runs/{id} has its log",
  },
  "run-called-off": {
    as: "failed",
    says: "the run {id} was ended by the host before it was through: it took longer than it may, or was stopped there; /var/lib/cc-ci/runs/{id}/results.json says which",
  },
});

/**
 * `cc-ci-run serve <harness>`: what the service of a connection runs. Reads the request, makes the folder of
 * the run, and lets the harness work until it is through, the client goes away, or the service is stopped. It
 * takes nothing away: `end` does, whatever this came to.
 *
 * @returns never: it ends this process, with 0 unless something unexpected happened
 */
export async function serveCommand(harness: string): Promise<never> {
  const instance = instanceIn(process.env, "cc-ci-run serve");
  const stopped = new AbortController();
  process.on("SIGTERM", () => stopped.abort());
  const client = Client.ofThisProcess();
  client.greet();
  let status = 0;
  try {
    const request = await client.request();
    const holder = await holderOf(instance.holdsFolder, "runs");
    if (holder === undefined) {
      const text = await serve(instance, request, harness, client, stopped.signal);
      say(text);
      await client.dismiss(true, text);
    } else
      await client.putOff(
        `the host lets no run begin until a switch or a restart of Docker is over (process ${holder})`,
      );
  } catch (error) {
    const { line, details } = error instanceof Stop ? error : defectOf(error);
    status = error instanceof Stop ? 0 : 1;
    const text = `${line.as} [${line.id}]: ${line.text}`;
    say(text, error instanceof Stop ? "notice" : "error");
    if (details !== "") say(details);
    await client.dismiss(false, text);
  }
  // The connection may still be held by who does not read.
  process.exit(status);
}

/** @returns what to say of a run that passed @throws {Stop} for every other one */
async function serve(
  instance: Instance,
  request: RunRequest,
  harness: string,
  client: Client,
  stopped: AbortSignal,
): Promise<string> {
  const { id, recipe, commit } = request;
  const steps = new Steps("serve");
  const note = { id, recipe, since: new Date().toISOString(), isCancelled: false };
  const folder = await begin(instance, request, note, steps);
  say(`run ${id}: ${recipe} at ${commit}`, "notice");
  const log = new RunLog(folder);
  const end = await runHarness(
    { harness, verb: "run", folder, home: join(instance.runtimeFolder, "home") },
    async (from, text) => {
      await log.add(from, text);
      client.say(text);
    },
    AbortSignal.any([client.gone, stopped]),
  );
  if (client.gone.aborted) {
    await steps.perform(() => writeNote(instance.runtimeFolder, { ...note, isCancelled: true }));
  }
  return await judged(request, folder, end, stopped.aborted, steps);
}

/**
 * Makes the folder of a run, which nobody else can make a second time.
 *
 * @throws {Stop} when there is one
 */
async function begin(
  { runsFolder, runtimeFolder, invocation }: Instance,
  request: RunRequest,
  note: RunNote,
  steps: Steps,
): Promise<string> {
  const { id } = request;
  const folder = join(runsFolder, id);
  const isUsed = () => serveLines.stop("run-id-used", { id });
  if (await exists(folder)) throw isUsed();
  const prepared = unbornFolder(runsFolder, invocation);
  await steps.perform(() => prepareFolder(prepared, request));
  // Before the folder has its name: one without a note below /run is one that nobody serves.
  await steps.perform(() => writeNote(runtimeFolder, note));
  if (await steps.perform(() => claimFolder(runsFolder, prepared, id))) return folder;
  await removeNote(runtimeFolder);
  await removeFolder(runsFolder, `${unborn}${invocation}`);
  throw isUsed();
}

/** What a run came to, by its results and by the end of its harness, which must not say two things. */
async function judged(
  request: RunRequest,
  folder: string,
  { how, hasSucceeded }: HarnessEnd,
  isStopped: boolean,
  steps: Steps,
): Promise<string> {
  const { id } = request;
  const results = await readResults(folder);
  if (results === undefined) {
    if (isStopped) throw serveLines.stop("run-called-off", { id });
    throw serveLines.stop("run-without-results", { id, how });
  }
  if (results.outcome === "passed" && hasSucceeded) return `the run ${id} has passed`;
  let reason = results.reason ?? results.outcome;
  if (results.outcome === "passed") {
    reason = `its results say that it passed, and its harness ${how}`;
    await steps.perform(() => writeAborted(folder, request, reason));
  }
  throw serveLines.stop("run-not-passed", { id, reason });
}
