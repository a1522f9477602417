/** How much of runs is kept. */
export interface Keep {
  readonly days: number;
  readonly runs: number;
  readonly bytes: number;
}

/** A run that is over. */
export interface KeptRun {
  readonly id: string;
  /** When it ended, ISO 8601. */
  readonly endedAt: string;
  /** What its folder holds. */
  readonly bytes: number;
  /** What of that is no more than what it was asked for and came to. */
  readonly coreBytes: number;
  /** Whether something of it may be left on the host, which nothing but its folder says. */
  readonly isOwed: boolean;
}

/** What is to go: the oldest first in both. */
export interface Superseded {
  /** Runs of which their request and their results stay. */
  readonly stripped: readonly string[];
  readonly removed: readonly string[];
}

/**
 * So many of the newest are not too old at any age: a clock that was once ahead, or a host that was off for
 * long, must not cost the history.
 */
export const ageless = 20;

/**
 * What goes of runs. Too old or too many: all of a run. Too large: logs and artefacts of the oldest, so that
 * a few large runs cost the others no more than that; a whole run only where even what they came to is too
 * much. One with a teardown that is owed stays in any case, without log and artefacts where it is too large. Pure.
 */
export function superseded(runs: readonly KeptRun[], keep: Keep, now: Date): Superseded {
  const oldest = new Date(now.getTime() - keep.days * 86_400_000).toISOString();
  const newestFirst = runs.toSorted((one, other) => (one.endedAt < other.endedAt ? 1 : -1));
  // What is older than one that goes goes too: nobody looks for a gap.
  const firstTooOld = newestFirst.findIndex(
    ({ endedAt }, index) => index >= keep.runs || (index >= ageless && endedAt < oldest),
  );
  const goes = ({ isOwed }: KeptRun, index: number) =>
    firstTooOld >= 0 && index >= firstTooOld && !isOwed;
  const stay = newestFirst.filter((run, index) => !goes(run, index));
  const removed = newestFirst.filter(goes);
  const stripped: KeptRun[] = [];
  let bytes = stay.reduce((sum, run) => sum + run.bytes, 0);
  for (const run of stay.toReversed()) {
    if (bytes <= keep.bytes) break;
    if (run.bytes === run.coreBytes) continue;
    bytes -= run.bytes - run.coreBytes;
    stripped.push(run);
  }
  const cut: KeptRun[] = [];
  for (const run of stay.toReversed()) {
    if (bytes <= keep.bytes) break;
    if (run.isOwed) continue;
    bytes -= run.coreBytes;
    cut.push(run);
  }
  const gone = [...removed.toReversed(), ...cut].map(({ id }) => id);
  return {
    stripped: stripped.map(({ id }) => id).filter((id) => !gone.includes(id)),
    removed: gone,
  };
}
