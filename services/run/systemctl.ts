import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { runServices } from "../lib/run.ts";
import { listOf, unitsIn } from "../lib/unit-list.ts";

/** How long systemd may take to answer, in milliseconds. */
const answerMilliseconds = 30_000;

/** @throws {Error} with what systemctl said against it */
async function systemctl(...args: readonly string[]): Promise<string> {
  const child = spawn("systemctl", args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: answerMilliseconds,
    // Ctrl-C at the terminal is for whoever asks, who has more to do than to see this fail.
    detached: true,
  });
  const [[status], said, problem] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  if (status !== 0)
    throw new Error(`systemctl ${args.join(" ")}: ${problem.trim() || "no answer"}`);
  return said;
}

/** The services of runs, whatever they are at. */
export async function runUnits(): Promise<readonly string[]> {
  return unitsIn(await systemctl(...listOf(runServices)));
}

/** What a unit is at, as systemd has it: `active`, `deactivating`, `inactive` and the like. */
export async function stateOf(unit: string): Promise<string> {
  return (await systemctl("show", "--value", "--property=ActiveState", "--", unit)).trim();
}

/** Ends all processes of a unit at once, without a word. */
export async function kill(unit: string): Promise<void> {
  await systemctl("kill", "--signal=SIGKILL", "--", unit);
}

/** Has systemd begin something with units, and does not wait until it is done; those that are gone are none. */
export async function queue(what: "start" | "stop", ...units: readonly string[]): Promise<void> {
  if (units.length > 0) await systemctl(what, "--no-block", "--", ...units);
}
