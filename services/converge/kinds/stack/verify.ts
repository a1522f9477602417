import type { Service, Task } from "../../adapters/docker-schemas.ts";
import type { StackModel } from "../../adapters/stack-model.ts";
import type { ResourceOf } from "../../desired-state.ts";
import type { Context } from "../../engine/steps.ts";
import { waitFor } from "../../engine/waiting.ts";
import { type Health, judge, lastWordsOf, noWords } from "./health.ts";
import { stackLines } from "./lines.ts";
import { findLostPort, tellsOfLostPort } from "./lost-port.ts";

type Stack = Pick<ResourceOf<"stack">, "stack" | "deploySeconds" | "stableSeconds">;

/** When a deploy of this run was, by the monotonic clock. */
export interface DeployTimes {
  /** By the clock on the wall. */
  readonly at: Date;
  readonly begun: number;
  readonly ended: number;
}

/** What is still waited for. */
interface Wait {
  readonly service: string;
  readonly what: string;
  /** What tasks that ended badly said. */
  readonly words: string;
  /** How long it is waited at the least, in seconds: for nothing but time. */
  readonly seconds: number;
}

/** Timers and the daemon's times have milliseconds. */
const roundingSeconds = 0.01;

/** Between two looks where anything may happen at any time, in seconds. */
const lookSeconds = 0.5;

/**
 * How long after a deploy the first look is, in seconds: Docker says that an update goes on only
 * 30 to 100 ms after it began, and until then the old tasks look well.
 */
const settleSeconds = 1;

/**
 * Waits until every service of the stack runs as it should, and has for long enough.
 *
 * @param deploy the time of which counts as waited already
 * @returns the versions of the services that were seen to work, by their ids
 * @throws {Stop} when a service does not come up in time, or never will
 */
export async function waitUntilUp(
  resource: Stack,
  context: Context,
  model: StackModel,
  deploy: DeployTimes | undefined,
): Promise<ReadonlyMap<string, number>> {
  const { deploySeconds, stableSeconds } = resource;
  const { clock, docker } = context.world;
  const begun = deploy?.begun ?? clock.monotonic();
  const settled = (deploy?.ended ?? Number.NEGATIVE_INFINITY) + settleSeconds;
  const unsettled = settled - clock.monotonic();
  if (unsettled > 0) await clock.sleep(unsettled);
  const left = Math.max(0, begun + deploySeconds + stableSeconds - clock.monotonic());

  const firstSeen = new Map<string, number>();
  const told = new Set<string>();
  const tell = (text: string, once = text): void => {
    if (!told.has(once)) context.report.waiting(text);
    told.add(once);
  };
  let wait: Wait | undefined;
  // Each look asks the daemon for all that it knows of the stack.
  const everySeconds = () => Math.max(lookSeconds, (wait?.seconds ?? 0) + roundingSeconds);
  const verified = await waitFor(clock, { seconds: left, everySeconds }, async () => {
    const look = await lookAt(resource, context, model, firstSeen, deploy?.at);
    if (look instanceof Map) return look;
    wait = look;
    const lost = tellsOfLostPort(look.words)
      ? await findLostPort(await docker.services(resource.stack), context)
      : undefined;
    if (lost !== undefined) throw stackLines.stop("service-port-lost", { ...lost });
    const { service, what, words } = look;
    // A crash loop goes round and round: each of its states is told once, and what it first ended with.
    tell(`${service}: ${what}`);
    if (words !== noWords) tell(`${service}: a task ended: ${words}`, `the end of ${service}`);
    return undefined;
  });
  if (verified !== undefined) return verified;
  const { service = resource.stack, what = "", words = "" } = wait ?? {};
  throw stackLines.stop("service-not-up", { service, what, words, seconds: deploySeconds });
}

async function lookAt(
  { stack, stableSeconds }: Stack,
  { world }: Context,
  model: StackModel,
  firstSeen: Map<string, number>,
  since: Date | undefined,
): Promise<Map<string, number> | Wait> {
  const { docker } = world;
  const services = await docker.services(stack);
  const containers = new Set((await docker.containers({ stack })).map(({ Id }) => Id));
  const verified = new Map<string, number>();
  let wait: Wait | undefined;
  // All of them, also when one is waited for: what never comes right is told at once.
  for (const wanted of model.services) {
    const name = `${stack}_${wanted.name}`;
    const service = services.find(({ Spec }) => Spec.Name === name);
    const tasks = service === undefined ? [] : await docker.tasks(service.ID);
    const health = judge(stack, wanted, service, tasks, containers);
    const words = lastWordsOf(tasks, since);
    refuseBroken(name, health, words);
    const seconds = missingSeconds(health, stableSeconds, (task) => ageOf(task, world, firstSeen));
    const what = seconds > 0 ? `its tasks have not run for ${stableSeconds} s yet` : "";
    const found = health.is === "waiting" ? { what: health.what, seconds: 0 } : { what, seconds };
    if (found.what !== "" && isLonger(found.seconds, wait?.seconds)) {
      wait = { service: name, words, ...found };
    }
    if (service !== undefined) verified.set(service.ID, service.Version.Index);
  }
  return wait ?? verified;
}

/** Of what waits for time alone the longest, and before all what waits for something else. */
function isLonger(seconds: number, before: number | undefined): boolean {
  if (before === undefined) return true;
  return before > 0 && (seconds === 0 || seconds > before);
}

/** For how long its tasks have to go on running, in seconds. */
function missingSeconds(
  health: Health,
  stableSeconds: number,
  age: (task: Task) => number,
): number {
  const youngest = Math.min(...(health.is === "running" ? health.tasks : []).map(age));
  return Math.max(0, stableSeconds - youngest);
}

/** How long a task has run, in seconds. */
function ageOf(
  { ID, Status }: Task,
  { clock }: Context["world"],
  firstSeen: Map<string, number>,
): number {
  const now = clock.monotonic();
  const seen = firstSeen.get(ID) ?? now;
  firstSeen.set(ID, seen);
  const told = (clock.now().getTime() - Date.parse(Status.Timestamp)) / 1000;
  // Where the clock was put back since, only what was seen counts.
  return Math.max(now - seen, Number.isNaN(told) ? 0 : told);
}

/** @throws {Stop} always: the update of the service was taken back or stopped half-way in */
export function refuseBrokenUpdate({ Spec, UpdateStatus }: Service, words: string): never {
  const service = Spec.Name;
  throw UpdateStatus?.State === "paused"
    ? stackLines.stop("service-update-paused", { service, words })
    : stackLines.stop("service-rolled-back", { service, words });
}

/** @throws {Stop} for what waiting does not mend */
function refuseBroken(service: string, health: Health, words: string): void {
  if (health.is === "rolled-back") {
    throw stackLines.stop("service-rolled-back", { service, words });
  }
  if (health.is === "paused") {
    throw stackLines.stop("service-update-paused", { service, words });
  }
  if (health.is === "other") {
    throw stackLines.stop("service-differs", { service, what: health.what });
  }
}
