import { isoOf, type Systemd, type UnitState } from "../adapters/systemd.ts";

/** The services that pieces require and that are no pieces; Docker's for one. */
export async function requiredOthers(
  systemd: Systemd,
  pieces: readonly UnitState[],
): Promise<readonly UnitState[]> {
  const own = new Set(pieces.map(({ Id }) => Id));
  const required = new Set(pieces.flatMap(({ Requires }) => Requires));
  const others = [...required].filter((unit) => unit.endsWith(".service") && !own.has(unit));
  return await systemd.units(others);
}

/**
 * Those of some units, none of them a piece, that are not up, each with since when. It is null where
 * systemd does not know: what has not changed since the boot, and what was masked, has no time.
 */
export function downSince(units: readonly UnitState[]): ReadonlyMap<string, string | null> {
  return new Map(
    units
      .filter((unit) => doesNotGetThrough(unit) || isStopped(unit))
      .map((unit) => [unit.Id, isLoaded(unit) ? isoOf(unit.StateChangeTimestamp) : null]),
  );
}

/** Whether it failed, or systemd would not even try to start it; then nothing that requires it is started. */
export function doesNotGetThrough(unit: UnitState): boolean {
  return !isLoaded(unit) || (unit.ActiveState === "failed" && unit.Job === "");
}

/** A masked one may still run, and what requires it is not started all the same. */
function isLoaded({ LoadState }: UnitState): boolean {
  return LoadState === "loaded";
}

/** Not up, and not about to be, as one is whose turn at a boot is still to come. A oneshot may have ended well. */
function isStopped({ ActiveState, Job, Type }: UnitState): boolean {
  return ActiveState === "inactive" && Job === "" && Type !== "oneshot";
}
