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
}

/** The runs to remove: those that are too old, and the oldest of those that are too many or too large. Pure. */
export function superseded(runs: readonly KeptRun[], keep: Keep, now: Date): readonly string[] {
  const oldest = new Date(now.getTime() - keep.days * 86_400_000).toISOString();
  const newestFirst = runs.toSorted((one, other) => (one.endedAt < other.endedAt ? 1 : -1));
  let bytes = 0;
  let isFull = false;
  return newestFirst
    .filter((run, index) => {
      bytes += run.bytes;
      // What is older than one that went goes too: nobody looks for a gap.
      isFull ||= run.endedAt < oldest || index >= keep.runs || bytes > keep.bytes;
      return isFull;
    })
    .map(({ id }) => id)
    .toReversed();
}
