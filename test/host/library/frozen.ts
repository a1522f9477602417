import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";

/**
 * Makes the run that something causes freeze before or after its n-th call, and waits until it has.
 *
 * @throws {Error} when it ends without making so many calls
 */
export async function freezeAt(
  host: Host,
  unit: string,
  { call, when }: { readonly call: number; readonly when: "before" | "after" },
  cause: () => void | Promise<void>,
): Promise<void> {
  const { invocation } = await host.unit(unit);
  await host.faults.stopAt(unit, call, when);
  await cause();
  await until(`a run of ${unit}`, 60, async () =>
    (await host.unit(unit)).invocation === invocation ? undefined : true,
  );
  const isFrozen = await host.faults.waitUntilStopped(unit);
  await host.faults.stopNowhere();
  if (!isFrozen) throw new Error(`${unit} ended before call ${call}: ${await host.journal(unit)}`);
}

/** Lets a frozen run go on. */
export async function goOn(host: Host, unit: string): Promise<void> {
  await host.exec(["systemctl", "kill", "--signal=SIGCONT", unit]);
}
