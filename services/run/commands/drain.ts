import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hold, hold, holderOf } from "../../lib/holds.ts";
import { defineLines } from "../../lib/line.ts";
import { heldRuns, livingRuns } from "../../lib/living-runs.ts";
import { runnerUnit, runPlaces } from "../../lib/run.ts";
import { say } from "../../lib/say.ts";
import { queue, runUnits, stateOf, stopAll } from "../systemctl.ts";
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

/** Between two looks at what still goes on, in milliseconds. */
const lookMilliseconds = 1000;

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
  const runner: Runner = {
    isUp: async () => ups.has(await stateOf(runnerUnit)),
    end: async () => {
      // Again and again: its piece may have been about to start it when this began.
      if ((await stateOf(runnerUnit)) === "deactivating" && isRunnerStopped) return;
      isRunnerStopped = true;
      await queue("stop", runnerUnit);
    },
  };
  try {
    await take("builds");
    const isDrained = await drained(runner, end, () => take("runs"), givenUp.signal);
    if (!isDrained) {
      const signal = String(givenUp.signal.reason);
      throw drainLines.stop("drain-given-up", { signal, command: command.join(" ") });
    }
    say("no run goes on, and none begins until this command has ended");
    return await statusOf(command, givenUp.signal);
  } finally {
    for (const { release } of holds) await release();
    // Somebody else may drain too. With the switch it may have left the configuration.
    const isHeld = (await holderOf(runPlaces.holds, "builds")) !== undefined;
    if (isRunnerStopped && !isHeld) await queue("start", runnerUnit).catch(() => undefined);
  }
}

interface Runner {
  isUp(): Promise<boolean>;
  /** Has it take nothing more, and end once what it has is through. */
  end(): Promise<void>;
}

/** States of a unit that does something, or is about to. */
const ups: ReadonlySet<string> = new Set(["active", "activating", "reloading", "deactivating"]);

/** What it waits for, said once each. @returns whether nothing goes on and nothing can begin */
async function drained(
  runner: Runner,
  end: boolean,
  holdRuns: () => Promise<void>,
  givenUp: AbortSignal,
): Promise<boolean> {
  let areHeld = false;
  let told = "";
  while (!givenUp.aborted) {
    const isRunnerUp = await runner.isUp();
    if (isRunnerUp) await runner.end();
    else if (!areHeld) {
      // Not before: a build that was taken gets its run.
      await holdRuns();
      areHeld = true;
    }
    if (end) await stopAll(await runUnits());
    const runs = areHeld
      ? await heldRuns(runPlaces.living, runUnits)
      : { runs: await livingRuns(runPlaces.living), nameless: [] };
    if (areHeld && runs.runs.length + runs.nameless.length === 0) return true;
    const waits = [
      ...(isRunnerUp ? ["the builds that the runner has"] : []),
      ...runs.runs.map(({ id, recipe, since }) => `the run ${id} (${recipe}, since ${since})`),
      ...runs.nameless,
    ].join(", ");
    if (waits !== told) say(`waits for ${waits}`);
    told = waits;
    await sleep(lookMilliseconds, undefined, { signal: givenUp }).catch(() => undefined);
  }
  return false;
}

/** Runs it at this terminal, which tells it of an interrupt by itself; of other signals it is told here. */
async function statusOf(
  [program, ...args]: DrainOptions["command"],
  givenUp: AbortSignal,
): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  const tell = () => {
    if (givenUp.reason !== "SIGINT") child.kill(givenUp.reason);
  };
  if (givenUp.aborted) tell();
  else givenUp.addEventListener("abort", tell);
  return await new Promise<number>((resolve, reject) => {
    child.on("error", ({ message: problem }) =>
      reject(drainLines.stop("drain-command-missing", { command: program, problem })),
    );
    child.on("exit", (status) => resolve(status ?? 1));
  });
}
