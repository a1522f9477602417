import type { Clock } from "../adapters/clock.ts";

export interface Bound {
  readonly seconds: number;
  /** How long to wait after an answer that was none. @default 0.5 */
  readonly everySeconds?: number | (() => number);
}

/**
 * Asks until there is an answer or the time is over.
 *
 * @returns the first answer that is not undefined; undefined when the time is over. It asks at least
 *   twice when there is any time at all, and the last time at the very end.
 */
export async function waitFor<Answer>(
  clock: Clock,
  { seconds, everySeconds = 0.5 }: Bound,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const end = clock.monotonic() + seconds;
  for (;;) {
    const left = end - clock.monotonic();
    const answer = await ask();
    if (answer !== undefined || left <= 0) return answer;
    const pause = typeof everySeconds === "number" ? everySeconds : everySeconds();
    await clock.sleep(Math.min(pause, left));
  }
}
