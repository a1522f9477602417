import { spawn } from "node:child_process";
import type { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hold, hold, holderOf } from "../../lib/holds.ts";
import { defineLines } from "../../lib/line.ts";
import { type HeldRuns, heldRuns, livingRuns } from "../../lib/living-runs.ts";
import { runnerUnit, runPlaces } from "../../lib/run.ts";
import { say } from "../../lib/say.ts";
import { kill, queue, runUnits, stateOf } from "../systemctl.ts";
import { mustBeRoot } from "./list.ts";

export const drainLines = defineLines({
  "drain-given-up": {
    as: "failed",
    says: "given up before all runs had ended ({signal}): '{command}' was not run, and builds are taken again",
  },
  "drain-command-missing": {
    as: "failed",
    says: "'{command}' does not start ({problem}): builds are taken again",
  },
});

/** How long things take, in milliseconds. */
interface Pace {
  /** Between two looks at what still goes on. */
  readonly look: number;
  /** What the runner has to tell Drone how its builds ended, once their runs have: it tries for ever otherwise. */
  readonly report: number;
}

const usualPace: Pace = { look: 1000, report: 30_000 };

interface DrainOptions {
  readonly command: readonly [string, ...string[]];
  /** Do not wait for what runs. */
  readonly end: boolean;
}

/**
 * `cc-ci-run drain [--end] <command> …`: runs a command, mostly a switch, at a time when no run goes on
 * and none can begin.
 *
 * First the runner takes no more builds, so that they wait in Drone's queue, where nothing is lost however long
 * that takes; those that it has come to their end, for which they may need further runs. Then no run may
 * begin any more. What is held is held by this process: with its end, whatever that is, runs begin again, and
 * the runner is started, by this or by the next run of its piece.
 *
 * @returns the exit status of the command
 * @throws {Stop} when it was given up
 */
export async function drainCommand({ command, end }: DrainOptions): Promise<number> {
  mustBeRoot();
  const givenUp = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => givenUp.abort(signal));
  }
  const holds: Hold[] = [];
  const take = async (held: "builds" | "runs") => {
    holds.push(await hold(runPlaces.holds, held, process.pid));
  };
  let isRunnerStopped = false;
  const host: Drainable = {
    runnerState: () => stateOf(runnerUnit),
    endRunner: async () => {
      // Again and again: its piece may have been about to start it when this began.
      if ((await stateOf(runnerUnit)) === "deactivating" && isRunnerStopped) return;
      isRunnerStopped = true;
      await queue("stop", runnerUnit);
    },
    // It may have ended at this very moment: the next look says so.
    killRunner: () => kill(runnerUnit).catch(() => undefined),
    holdRuns: () => take("runs"),
    runs: async (areHeld) =>
      areHeld
        ? await heldRuns(runPlaces.living, runUnits)
        : { runs: await livingRuns(runPlaces.living), nameless: [] },
    endRuns: async () => {
      const units = await runUnits();
      await queue("stop", ...units);
      return units.length;
    },
  };
  try {
    await take("builds");
    const isDrained = await drained(host, end, givenUp.signal);
    if (!isDrained) {
      const signal = String(givenUp.signal.reason);
      throw drainLines.stop("drain-given-up", { signal, command: command.join(" ") });
    }
    say("no run goes on, and none begins until this command has ended");
    return await statusOf(command, process);
  } finally {
    for (const { release } of holds) await release();
    // Somebody else may drain too. With the switch it may have left the configuration.
    const isHeld = (await holderOf(runPlaces.holds, "builds")) !== undefined;
    if (isRunnerStopped && !isHeld) await queue("start", runnerUnit).catch(() => undefined);
  }
}

/** What is drained: a host, as its systemd has it. */
export interface Drainable {
  /** What the runner of builds is at. */
  runnerState(): Promise<string>;
  /** Has it take nothing more, and end once what it has is through. */
  endRunner(): Promise<void>;
  /** Ends it at once; its builds are ended in Drone by whoever watches over them. */
  killRunner(): Promise<void>;
  /** Lets no run begin from then on. */
  holdRuns(): Promise<void>;
  /** What goes on; once runs are held, all of it. */
  runs(areHeld: boolean): Promise<HeldRuns>;
  /** Has them end now, in order. @returns how many there were */
  endRuns(): Promise<number>;
}

/** States of a unit that does something, or is about to. */
const ups: ReadonlySet<string> = new Set(["active", "activating", "reloading", "deactivating"]);

/** What it waits for, said once each. @returns whether nothing goes on and nothing can begin, and nobody gave up */
export async function drained(
  host: Drainable,
  end: boolean,
  givenUp: AbortSignal,
  pace = usualPace,
): Promise<boolean> {
  let areHeld = false;
  let lastEnded = performance.now();
  let told = "";
  try {
    while (!givenUp.aborted) {
      const state = await host.runnerState();
      const isRunnerUp = ups.has(state);
      if (isRunnerUp) await host.endRunner();
      else if (!areHeld) {
        // Not before: a build that was taken gets its run.
        await host.holdRuns();
        areHeld = true;
      }
      if (end) {
        const hasRuns = (await host.endRuns()) > 0;
        if (hasRuns || state !== "deactivating") lastEnded = performance.now();
        if (performance.now() - lastEnded > pace.report) {
          say("the runner cannot tell Drone how its builds ended, and is killed");
          await host.killRunner();
          lastEnded = performance.now();
        }
      }
      const { runs, nameless } = await host.runs(areHeld);
      // A look takes its time, in which somebody may give up.
      if (areHeld && runs.length + nameless.length === 0) return !givenUp.aborted;
      const waits = [
        ...(isRunnerUp ? ["the builds that the runner has"] : []),
        ...runs.map(({ id, recipe, since }) => `the run ${id} (${recipe}, since ${since})`),
        ...nameless,
      ].join(", ");
      if (waits !== told) say(`waits for ${waits}`);
      told = waits;
      await sleep(pace.look, undefined, { signal: givenUp });
    }
  } catch (error) {
    // Then it fails for that.
    if (!givenUp.aborted) throw error;
  }
  return false;
}

/**
 * Runs it at this terminal, which tells it of an interrupt by itself; of other signals it is told here, each time.
 *
 * @param signals who hears them
 */
export async function statusOf(
  [program, ...args]: DrainOptions["command"],
  signals: EventEmitter,
): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    signals.on(signal, () => child.kill(signal));
  }
  return await new Promise<number>((resolve, reject) => {
    child.on("error", ({ message: problem }) =>
      reject(drainLines.stop("drain-command-missing", { command: program, problem })),
    );
    child.on("exit", (status) => resolve(status ?? 1));
  });
}
