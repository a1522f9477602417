import type { Started } from "../../lib/drone/client.ts";
import type { Build } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import { isDue } from "../pacing/due.ts";
import type { Request } from "../records/requests.ts";
import type { Bridge } from "./bridge.ts";
import { endInDoubt, isLong } from "./doubt.ts";
import { endOther, endWithout, forgetTries } from "./end.ts";
import { newestAt } from "./pushes.ts";

/**
 * How long after a request its build is begun at the earliest, in milliseconds: the forge writes a push down about a
 * second after it, and none may slip in between.
 */
const settlingMilliseconds = 3000;

/** For how long it is tried to have a build begun, in milliseconds. */
const startMilliseconds = 30 * 60_000;

/** For how long it is waited for the forge to have a push where it belongs, and how often it is asked, in milliseconds. */
const longestTellingMilliseconds = 60_000;
const tellingMilliseconds = 2000;

/** How often a build is looked for that may be there, in milliseconds. */
export const searchMilliseconds = 5000;

/**
 * Has Drone begin the build of a test.
 *
 * @returns when to go on with it, in milliseconds since 1970; undefined when it has a build, or has ended
 * @throws {DroneRefusal} where Drone began none, or where that is not known and it is to be looked for
 */
export async function begin(bridge: Bridge, request: Request): Promise<number | undefined> {
  const { drone, settings, now } = bridge;
  const earliest = request.acceptedAt + settlingMilliseconds;
  if (!isDue(earliest, now(), settlingMilliseconds)) return earliest;
  if (isLate(bridge, request)) {
    const trouble = bridge.records.attempts.find("begin", request.id)?.trouble ?? "";
    endWithout(bridge, request, "broken", `Drone began no build within half an hour. ${trouble}`);
    return undefined;
  }
  // Of a life whose records are lost, or of a start that came through after all. It would be among the newest.
  const before = await drone.buildOf(settings.drone.repository, request.id, 1);
  if (before !== undefined) {
    await adopt(bridge, request, before);
    return undefined;
  }
  const whyNot = await isOver(bridge, request);
  if (whyNot === "not-told") return now() + tellingMilliseconds;
  if (whyNot !== undefined) {
    endWithout(bridge, request, "refused", whyNot);
    return undefined;
  }
  return await ask(bridge, request);
}

/**
 * Looks for the build of a test of which it is not known whether Drone began one: only where there is none, Drone is
 * asked a second time.
 *
 * @param troubledSince since when Drone does not tell; undefined where it did the last time
 * @returns when to go on with it, in milliseconds since 1970; undefined when it has a build, or has ended
 */
export async function find(
  bridge: Bridge,
  request: Request,
  troubledSince: number | undefined,
): Promise<number | undefined> {
  const { drone, records, settings, now } = bridge;
  const { id, askedAt } = request;
  const lookedAt = now();
  try {
    const build = await drone.buildOf(settings.drone.repository, id);
    if (build !== undefined) {
      await adopt(bridge, request, build);
      return undefined;
    }
  } catch (error) {
    const isToEnd = isLate(bridge, request) && isLong(bridge, troubledSince);
    if (!(error instanceof DroneRefusal && isToEnd)) throw error;
    endInDoubt(bridge, request, `Drone did not say whether it began a build: ${error.message}.`);
    return undefined;
  }
  const mayCome = lookedAt - (askedAt ?? 0) <= settings.drone.answerSeconds * 1000;
  if (mayCome) return now() + searchMilliseconds;
  records.together(() => {
    records.requests.doubt(id);
    records.requests.askAgain(id);
  });
  return now();
}

function isLate({ now }: Bridge, { acceptedAt }: Request): boolean {
  return now() - acceptedAt > startMilliseconds;
}

/**
 * Why there is to be no build any more, in a sentence; undefined when there is to be one, and `not-told` as long as
 * the forge may not yet have its commit where it belongs.
 */
async function isOver(bridge: Bridge, request: Request): Promise<string | undefined> {
  const { repository, pull: number, head, isNamed, acceptedAt } = request;
  const pull = await bridge.forge.pull(repository, number);
  if (!pull.isOpen) return "The pull request was closed before the test began.";
  const pushed = "Something was pushed before the test began: please look at it, and ask again.";
  if (pull.head !== head) return pushed;
  const newest = isNamed ? "then" : await newestAt(bridge, pull, request);
  if (newest === "since") return pushed;
  const canBeFetched = (await bridge.forge.pullHead(repository, number)) === head;
  if (newest === "not-told" || !canBeFetched) {
    if (bridge.now() - acceptedAt <= longestTellingMilliseconds) return "not-told";
    return canBeFetched
      ? pushed
      : `The forge has another commit at refs/pull/${number}/head than this one: please push again, and ask again.`;
  }
  const reason = await bridge.stopped();
  if (reason !== undefined) return `No tests are taken at the moment. ${reason}`.trim();
  return undefined;
}

async function ask(bridge: Bridge, request: Request): Promise<number | undefined> {
  const { drone, forge, gate, records, settings, now } = bridge;
  const { id, recipe, repository, pull, head, quick } = request;
  const { repository: ci, branch } = settings.drone;
  // What tests is taken from the CI repository, whatever the pull request says.
  const commit = await forge.branchHead(ci, branch);
  // It may have been cancelled meanwhile.
  if (records.requests.find(id)?.ending !== null) return now();
  records.requests.ask(id, commit, now());
  const place = { repository: ci, branch, commit };
  const run = { id, recipe, repository, pull, commit: head, quick };
  let started: Started;
  try {
    started = await gate.pass("build start", id, () => drone.start(place, run));
  } catch (error) {
    // Drone said so, or was not reached.
    if (error instanceof DroneRefusal) records.requests.askAgain(id);
    throw error;
  }
  await take(bridge, { ...request, ciCommit: commit }, started);
  return undefined;
}

/** Goes by the answer to a start. */
async function take(bridge: Bridge, request: Request, started: Started): Promise<void> {
  const broken = (reason: string) => endWithout(bridge, request, "broken", reason);
  const mend = "This is for whoever runs this CI: the pipeline of its repository";
  switch (started.as) {
    case "started":
    case "other-commit":
      await adopt(bridge, request, started.build);
      return;
    case "unknown":
      bridge.log.warn(
        { id: request.id, reason: started.reason },
        "does not know whether Drone began",
      );
      throw new DroneRefusal("silent", 0, started.reason);
    case "not-triggered":
      broken(`${mend} is not for builds that are asked for.`);
      return;
    case "config-missing":
      broken(`${mend} is not there.`);
      return;
    case "config-wrong":
      broken(`${mend} cannot be read: ${started.build.error}`);
  }
}

/** Has a build of it be the one of a test, if it is of the commit that Drone was asked for, or would be. */
async function adopt(bridge: Bridge, request: Request, build: Build): Promise<void> {
  const { forge, records, settings, log, now } = bridge;
  const { id, repository, pull } = request;
  const { repository: ci, branch } = settings.drone;
  const ciCommit = request.ciCommit ?? (await forge.branchHead(ci, branch));
  if (build.after !== ciCommit) {
    await endOther(bridge, request, build);
    return;
  }
  records.together(() => {
    if (request.ciCommit === null) records.requests.ask(id, ciCommit, now());
    records.requests.found(id, build.number);
    records.answers.changed(repository, pull, now());
    forgetTries(bridge, id);
  });
  log.info({ id, build: build.number }, "has a build");
}
