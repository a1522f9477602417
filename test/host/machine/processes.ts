import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What /proc/<pid>/stat says after the name of the program, which may hold anything. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/**
 * When a process started, in clock ticks since boot: with its number it names one process for ever.
 * undefined when there is none, or nothing but its exit status is left.
 */
export function startOf(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
}

/** The children of a process. The kernel's own list of them is not there in every kernel. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => statFields(child)?.[1] === String(pid));
}

/** Whether a signal has frozen it. */
export function isFrozen(pid: number): boolean {
  return statFields(pid)?.[0] === "T";
}

/** Ends a process at once; one that is gone already is fine. */
export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** How much longer than the last question took nobody asks: who waits leaves the cores to what is waited for. */
const restPerAsk = 4;
const mostRestMilliseconds = 1000;

/**
 * Asks again and again until the answer is not undefined.
 *
 * @param what completes "… did not come within 10 s"
 * @throws {Error} when the time is over
 */
export async function until<T>(
  what: string,
  limitSeconds: number,
  ask: () => T | undefined | Promise<T | undefined>,
  pauseMilliseconds = 20,
): Promise<T> {
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const asked = performance.now();
    const answer = await ask();
    if (answer !== undefined) return answer;
    const now = performance.now();
    if (now > end) throw new Error(`${what} did not come within ${limitSeconds} s`);
    const rest = Math.min((now - asked) * restPerAsk, mostRestMilliseconds);
    await sleep(Math.max(rest, pauseMilliseconds));
  }
}
