import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../machine/machine.ts";
import type { System } from "./system.ts";

export interface SettleOptions {
  /** @default 180 */
  readonly limitSeconds?: number;
}

/** No template: which of its instances run is no matter here. */
const ownService = /^cc-ci.*[^@]\.service$/;

/** How long nothing must happen: a path unit starts its service a moment after the change. */
const quietMilliseconds = 300;

/** Between two looks at who is at work. */
const lookMilliseconds = 100;

/**
 * Waits until no service of the system's own is on its way and no job is queued.
 *
 * @throws {Error} with what still runs, when the time is over
 */
export async function settle(
  machine: Machine,
  system: System,
  { limitSeconds = 180 }: SettleOptions = {},
): Promise<void> {
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    await noneAtWork(machine, system, end);
    const left = await onTheirWay(machine, system);
    if (left.length === 0) return;
    if (performance.now() > end) {
      const log = await machine.exec(["journalctl", "--no-pager", "--lines=40"], { mayFail: true });
      throw new Error(`not settled after ${limitSeconds} s\n${left.join("\n")}\n${log.stdout}`);
    }
    await sleep(100);
  }
}

/**
 * The oneshots of the system's own that have a process. Asks nobody: hosts that work at the same time share
 * few cores.
 */
export function oneshotsAtWork(machine: Machine, system: System): readonly string[] {
  const isOneshot = (name: string): boolean =>
    ownService.test(name) && /^Type=oneshot$/m.test(system.units[name]?.text ?? "");
  return [...machine.unitsAtWork()].filter(isOneshot);
}

/** Waits until none has been at work for a while. */
async function noneAtWork(machine: Machine, system: System, end: number): Promise<void> {
  let quietSince = performance.now();
  while (performance.now() - quietSince < quietMilliseconds && performance.now() < end) {
    await sleep(lookMilliseconds);
    if (oneshotsAtWork(machine, system).length > 0) quietSince = performance.now();
  }
}

/** Jobs of systemd, and services of the system's own that start or stop: lists take it less than properties do. */
async function onTheirWay(machine: Machine, system: System): Promise<readonly string[]> {
  const services = Object.keys(system.units).filter((name) => ownService.test(name));
  const script = `systemctl list-jobs --no-legend --plain
systemctl list-units --no-legend --plain --state=activating,deactivating,reloading -- "$@"`;
  const { stdout } = await machine.exec(["sh", "-ec", script, "sh", ...services]);
  return stdout.split("\n").filter((line) => line !== "" && line !== "No jobs running.");
}
