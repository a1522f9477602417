import { isFinal, type Outcome, outcomeOf } from "../../lib/drone/outcome.ts";
import type { Build } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import type { RunResults } from "../../lib/run.ts";
import type { End, Request, RequestOutcome } from "../records/requests.ts";
import type { Bridge } from "./bridge.ts";
import { endInDoubt, isLong } from "./doubt.ts";
import { end, endOther, endWithout } from "./end.ts";

/** How long results may come after the build that they are of, in milliseconds: it ends, and the host writes. */
const resultsMilliseconds = 30_000;

/** How long after the end of a build Drone may note that of what is in it, in milliseconds. */
const endingMilliseconds = 5 * 60_000;

/** How much longer than it may wait and run a build is followed that Drone does not end, in milliseconds. */
const overdueMilliseconds = 60 * 60_000;

/** Sees what became of a build, and ends it where it is to be ended. */
export async function follow(
  bridge: Bridge,
  request: Request,
  /** Drone's newest builds, without their stages. */
  builds: readonly Build[],
  /** Since when this does not succeed; undefined where it did the last time. */
  troubledSince: number | undefined,
): Promise<void> {
  try {
    await goBy(bridge, request, builds);
  } catch (error) {
    const isGone = error instanceof DroneRefusal && error.trouble === "not-found";
    if (isGone && isLong(bridge, troubledSince)) {
      endWithout(bridge, request, "broken", "Drone knows nothing of its build any more.");
    } else if (!endOverdue(bridge, request, error, troubledSince)) {
      throw error;
    }
  }
}

async function goBy(bridge: Bridge, request: Request, builds: readonly Build[]): Promise<void> {
  const { drone, settings } = bridge;
  const { id, build: number } = request;
  if (number === null) throw new Error(`request ${id} has no build`);
  const build = await wholeOf(bridge, id, number, builds);
  if (build.after !== request.ciCommit) {
    await endOther(bridge, request, build);
    return;
  }
  if (isFinal(build.status)) {
    await conclude(bridge, request, build);
    return;
  }
  showProgress(bridge, request, build, builds);
  const ending = request.ending ?? endingOf(bridge, request);
  if (ending === null) return;
  bridge.records.requests.endBy(id, ending);
  const { repository } = settings.drone;
  await bridge.gate.pass("build cancel", String(number), () => drone.cancel(repository, number));
  // Only now: we may have been away for longer than that.
  const isEnded = async () => isFinal((await drone.build(repository, number)).status);
  if (!isOverdue(bridge, request) || (await isEnded())) return;
  endWithout(bridge, request, "broken", "Drone does not end its build.");
}

/**
 * Ends a test with whose build nothing could be done for a while, or whose answers nobody understands, where it is
 * overdue.
 *
 * @param error what came of asking Drone
 * @returns whether it did
 */
export function endOverdue(
  bridge: Bridge,
  request: Request,
  error: unknown,
  troubledSince: number | undefined,
): boolean {
  const isToEnd = isOverdue(bridge, request) && isLong(bridge, troubledSince);
  if (!(error instanceof DroneRefusal && isToEnd)) return false;
  endInDoubt(bridge, request, `Drone does not tell what became of its build: ${error.message}.`);
  return true;
}

function isOverdue({ settings, now }: Bridge, { acceptedAt }: Request): boolean {
  const { buildSeconds, queueSeconds } = settings;
  return now() > acceptedAt + (queueSeconds + buildSeconds) * 1000 + overdueMilliseconds;
}

/**
 * With its stages, where it has ended.
 *
 * @throws {DroneRefusal} where the build of that number is another test's: Drone begins anew when its database is lost
 */
async function wholeOf(
  { drone, settings }: Bridge,
  id: string,
  number: number,
  builds: readonly Build[],
): Promise<Build> {
  const listed = builds.find((each) => each.number === number);
  const isGoingOn = listed !== undefined && !isFinal(listed.status);
  const build = isGoingOn ? listed : await drone.build(settings.drone.repository, number);
  if (build.params.CCCI_ID === id) return build;
  throw new DroneRefusal("not-found", 0, `build ${number} is not the one that it was`);
}

/** Where it is by now, as far as people see it. */
function showProgress(
  { records, now }: Bridge,
  request: Request,
  { number, started, status }: Build,
  builds: readonly Build[],
): void {
  const { id, repository, pull, begunAt, place, queue } = request;
  if (status === "running") {
    if (begunAt !== null) return;
    records.requests.begins(id, started?.getTime() ?? now());
  } else {
    const waiting = builds.filter((each) => each.status === "pending");
    const before = waiting.filter((each) => each.number < number).length;
    if (place === before + 1 && queue === waiting.length) return;
    records.requests.waits(id, before + 1, waiting.length);
  }
  records.answers.changed(repository, pull, now());
}

/** Why it is to be ended by us. */
function endingOf({ settings, now }: Bridge, { begunAt, askedAt }: Request) {
  const { buildSeconds, queueSeconds } = settings;
  if (begunAt !== null) return now() - begunAt > buildSeconds * 1000 ? "timed-out" : null;
  return now() - (askedAt ?? now()) > queueSeconds * 1000 ? "not-reached" : null;
}

async function conclude(bridge: Bridge, request: Request, build: Build): Promise<void> {
  const { runs, now } = bridge;
  const age = now() - (build.finished?.getTime() ?? now());
  const told = outcomeOf(build);
  if (told === "going-on" && age < endingMilliseconds) return;
  const outcome = told === "going-on" ? "killed" : told;
  const results = await runs.results(request.id);
  // What was ended has nothing more to say.
  const mayCome = outcome === "passed" || outcome === "failed";
  if (results === undefined && mayCome && age < resultsMilliseconds) return;
  const begunAt = build.started?.getTime();
  if (begunAt !== undefined && request.begunAt === null) {
    bridge.records.requests.begins(request.id, begunAt);
  }
  end(bridge, request, endOf(request, outcome, build, results));
}

/** What a test came to, by its build, and by what its run has left. */
export function endOf(
  { ending }: Pick<Request, "ending">,
  outcome: Exclude<Outcome, "going-on">,
  { error }: Pick<Build, "error">,
  results: RunResults | undefined,
): End {
  if (results !== undefined && results.outcome !== "aborted") {
    return { outcome: results.outcome, reason: results.reason, stages: results.stages };
  }
  const stages = results?.stages ?? [];
  if (ending !== null) return { outcome: ending, reason: null, stages };
  return { outcome: outcomes[outcome], reason: reasonOf(outcome, error, results), stages };
}

const outcomes: Readonly<Record<Exclude<Outcome, "going-on">, RequestOutcome>> = {
  passed: "passed",
  failed: "failed",
  ...{ cancelled: "cancelled", killed: "cancelled" },
  "timed-out": "timed-out",
  ...{ "not-runnable": "broken", skipped: "broken" },
};

function reasonOf(
  outcome: Exclude<Outcome, "going-on">,
  error: string,
  results: RunResults | undefined,
): string | null {
  switch (outcome) {
    case "passed":
    case "failed":
      return results?.reason ?? "It left nothing that says more: see the build.";
    case "cancelled":
    case "killed":
      return "It was ended in Drone, or lost there.";
    case "timed-out":
      return null;
    case "not-runnable":
    case "skipped":
      return error === "" ? "Drone did not run it." : `Drone did not run it: ${error}`;
  }
}
