/**
 * Whether a time has come. One that is farther off than it can have been set was set before the clock went back.
 *
 * @param at in milliseconds since 1970, as `now`
 * @param longest how far off it can have been set, in milliseconds
 */
export function isDue(at: number, now: number, longest: number): boolean {
  return now >= at || at - now > longest;
}
