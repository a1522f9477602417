import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** How long systemd may take to answer, in milliseconds. */
const answerMilliseconds = 30_000;

/** @throws {Error} with what systemctl said against it */
async function systemctl(
  args: readonly string[],
  options: { readonly timeout?: number } = { timeout: answerMilliseconds },
): Promise<string> {
  const { stdout } = await promisify(execFile)("systemctl", args, { encoding: "utf8", ...options });
  return stdout;
}

/** The services of runs, whatever they are at: about to start, at work, being ended. */
export async function runUnits(): Promise<readonly string[]> {
  const flags = ["--all", "--plain", "--no-legend", "--no-pager"];
  const listed = await systemctl(["list-units", ...flags, "cc-ci-run@*.service"]);
  return listed.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
}

/** What a unit is at, as systemd has it: `active`, `deactivating`, `inactive` and the like. */
export async function stateOf(unit: string): Promise<string> {
  return (await systemctl(["show", "--value", "--property=ActiveState", "--", unit])).trim();
}

/** Has systemd begin something with a unit, and does not wait until it is done. */
export async function queue(what: "start" | "stop", unit: string): Promise<void> {
  await systemctl([what, "--no-block", "--", unit]);
}

/** Stops units, and waits until they have stopped; those that are gone already are none. */
export async function stopAll(units: readonly string[]): Promise<void> {
  if (units.length > 0) await systemctl(["stop", "--", ...units], {});
}
