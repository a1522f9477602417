import type { Started } from "../../lib/drone/client.ts";
import type { Build } from "../../lib/drone/schemas.ts";
import type { Request } from "../records/requests.ts";
import type { Bridge } from "./bridge.ts";
import { endOther, endWithout } from "./end.ts";
import { newestAt } from "./pushes.ts";

/**
 * How long after a request its build is begun at the earliest, in milliseconds: the forge writes a push down about a
 * second after it, and none may slip in between.
 */
const settlingMilliseconds = 3000;

/** For how long it is tried to have a build begun, in milliseconds. */
const startMilliseconds = 30 * 60_000;

/** For how long it is waited for the forge to write a push down, and how often it is asked, in milliseconds. */
const longestTellingMilliseconds = 60_000;
const tellingMilliseconds = 2000;

/** How often a build is looked for that may be there, in milliseconds. */
const searchMilliseconds = 5000;

/**
 * Has Drone begin the build of a test, and finds it again where it is not known whether Drone did: only then is it
 * asked a second time.
 *
 * @returns when to go on with it, in milliseconds since 1970; undefined when it has a build, or has ended
 */
export async function begin(bridge: Bridge, request: Request): Promise<number | undefined> {
  const { now } = bridge;
  if (request.phase === "asking") return await find(bridge, request);
  if (request.ending !== null) {
    endWithout(bridge, request, request.ending, null);
    return undefined;
  }
  const earliest = request.acceptedAt + settlingMilliseconds;
  if (now() < earliest) return earliest;
  if (now() - request.acceptedAt > startMilliseconds) {
    const trouble = bridge.records.attempts.find("begin", request.id)?.trouble ?? "";
    endWithout(bridge, request, "broken", `Drone began no build within half an hour. ${trouble}`);
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
 * Why there is to be no build any more, in a sentence; undefined when there is to be one, and `not-told` as long as
 * the forge has not said when its commit was pushed.
 */
async function isOver(bridge: Bridge, request: Request): Promise<string | undefined> {
  const { repository, pull: number, head, isNamed, acceptedAt } = request;
  const pull = await bridge.forge.pull(repository, number);
  if (!pull.isOpen) return "The pull request was closed before the test began.";
  const pushed = "Something was pushed before the test began: please look at it, and ask again.";
  if (pull.head !== head) return pushed;
  const newest = isNamed ? "then" : await newestAt(bridge, pull, request);
  const isToldYet = bridge.now() - acceptedAt > longestTellingMilliseconds;
  if (newest === "not-told" && !isToldYet) return newest;
  if (newest !== "then") return pushed;
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
  const started = await gate.pass("build start", id, () => drone.start(place, run));
  return await take(bridge, { ...request, ciCommit: commit }, started);
}

/** Goes by the answer to a start. */
async function take(
  bridge: Bridge,
  request: Request,
  started: Started,
): Promise<number | undefined> {
  const { log, now } = bridge;
  const broken = (reason: string) => endWithout(bridge, request, "broken", reason);
  const mend = "This is for whoever runs this CI: the pipeline of its repository";
  switch (started.as) {
    case "started":
    case "other-commit":
      await adopt(bridge, request, started.build);
      return undefined;
    case "unknown":
      log.warn({ id: request.id, reason: started.reason }, "does not know whether Drone began");
      return now() + searchMilliseconds;
    case "not-triggered":
      broken(`${mend} is not for builds that are asked for.`);
      return undefined;
    case "config-missing":
      broken(`${mend} is not there.`);
      return undefined;
    case "config-wrong":
      broken(`${mend} cannot be read: ${started.build.error}`);
      return undefined;
  }
}

async function find(bridge: Bridge, request: Request): Promise<number | undefined> {
  const { drone, records, settings, now } = bridge;
  const { id, askedAt } = request;
  const lookedAt = now();
  const build = await drone.buildOf(settings.drone.repository, id);
  if (build !== undefined) {
    await adopt(bridge, request, build);
    return undefined;
  }
  const isOver = lookedAt - (askedAt ?? 0) > settings.drone.answerSeconds * 1000;
  if (!isOver) return now() + searchMilliseconds;
  records.requests.askAgain(id);
  return now();
}

/** Has a build of it be the one of a test, if it is of the commit that Drone was asked for. */
async function adopt(bridge: Bridge, request: Request, build: Build): Promise<void> {
  const { records, log, now } = bridge;
  const { id, repository, pull, ciCommit } = request;
  if (build.after !== ciCommit) {
    await endOther(bridge, request, build);
    return;
  }
  records.together(() => {
    records.requests.found(id, build.number);
    records.answers.changed(repository, pull, now());
  });
  log.info({ id, build: build.number }, "has a build");
}
