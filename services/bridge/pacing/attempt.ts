import { DroneRefusal } from "../../lib/drone/trouble.ts";
import { ForgeRefusal, longestPause } from "../../lib/forge/trouble.ts";
import type { Duty } from "../records/attempts.ts";
import type { Records } from "../records/index.ts";
import type { Log } from "../telemetry/log.ts";
import { isDue } from "./due.ts";

/** What came of trying something. */
export type Attempted =
  | { readonly as: "done" }
  /** Not now. It is tried again at that time, in milliseconds since 1970. */
  | { readonly as: "later"; readonly at: number; readonly isSilence: boolean }
  | { readonly as: "given-up" };

/** The first pause, in seconds, and the longest. */
const pauses = { first: 2, longest: 300 } as const;

/** With what the forge may ask for. */
export const longestPauseMilliseconds = 1000 * Math.max(pauses.longest, longestPause);

/** By what it is paced. */
interface Pace {
  readonly records: Pick<Records, "attempts">;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Between 0 and 1: lest all try again at the same time. */
  readonly random: () => number;
}

export interface Trial {
  /** With what it is about, the two name it among all. */
  readonly duty: Duty;
  readonly item: string;
  /** How often a no is taken for an answer before it is given up; a silence never is the reason. @default never */
  readonly most?: number;
}

/**
 * Does something, and where forge or Drone would not have it, notes that, to try again later: after twice the time
 * each time, some of it by chance, and never before they want to be asked again.
 *
 * @param work gets since when it did not succeed
 */
export async function attempt(
  { records, log, now, random }: Pace,
  { duty, item, most = Number.POSITIVE_INFINITY }: Trial,
  work: (since: number | undefined) => Promise<void>,
): Promise<Attempted> {
  const before = records.attempts.find(duty, item);
  if (before?.isParked) return { as: "given-up" };
  if (before !== undefined && !isDue(before.nextAt, now(), longestPauseMilliseconds)) {
    return { as: "later", at: before.nextAt, isSilence: false };
  }
  try {
    await work(before?.since);
  } catch (error) {
    if (!(error instanceof ForgeRefusal || error instanceof DroneRefusal)) throw error;
    const tries = (before?.tries ?? 0) + 1;
    const nextAt = Math.round(now() + 1000 * pauseAfter(tries, pauseOf(error), random()));
    const isSilence = isOfAll(error);
    const noes = (before?.noes ?? 0) + (isSilence ? 0 : 1);
    const isParked = noes >= most;
    const trouble = error.message;
    const since = before?.since ?? now();
    records.attempts.failed({ duty, item, tries, noes, since, nextAt, trouble, isParked });
    const what = { duty, item, tries, kind: error.trouble, trouble };
    if (isParked) log.error(what, "given up");
    else log.warn({ ...what, again: new Date(nextAt).toISOString() }, "not now");
    return isParked ? { as: "given-up" } : { as: "later", at: nextAt, isSilence };
  }
  if (before !== undefined) records.attempts.succeeded(duty, item);
  return { as: "done" };
}

/**
 * How long to wait after so many tries, in seconds.
 *
 * @param wanted what they asked for themselves
 * @param chance from 0 to 1
 */
export function pauseAfter(tries: number, wanted: number | undefined, chance: number): number {
  const usual = Math.min(pauses.longest, pauses.first * 2 ** Math.min(tries - 1, 20));
  return Math.max(wanted ?? 0, usual * (0.5 + chance / 2));
}

function pauseOf(error: ForgeRefusal | DroneRefusal): number | undefined {
  return error instanceof ForgeRefusal ? error.retryAfterSeconds : undefined;
}

/** Whether it is not about this one thing, but about all that is asked of the same server. */
function isOfAll({ trouble }: ForgeRefusal | DroneRefusal): boolean {
  switch (trouble) {
    case "silent":
    case "late":
    case "token-refused":
    case "forge-silent":
    case "login-dead":
    case "client-refused":
      return true;
    case "not-allowed":
    case "not-found":
    case "moved":
    case "too-long":
    case "broken":
      return false;
  }
}
