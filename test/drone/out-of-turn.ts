/**
 * The places of builds that began before one that stands far enough in front of them. Two that are handed out
 * at once begin in either order: each at work is told of its own by itself.
 *
 * @param began when each did, in the order in which they were asked for
 * @param capacity how many run at once
 */
export function outOfTurn(began: readonly number[], capacity: number): readonly number[] {
  return began.flatMap((time, place) => {
    const before = began.slice(0, Math.max(0, place - capacity + 1));
    return before.some((other) => other > time) ? [place] : [];
  });
}
