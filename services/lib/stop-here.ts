/**
 * Where to stop the world, for tests: `traefik:3:before` or `serve:2:after`, a name of whoever acts and
 * its step, counted from 1 in each run. It can only be set by who may write the unit's environment, which
 * is root.
 */
export const stopAtVariable = "CC_CI_STOP_AT";

/**
 * Stops this process until somebody continues or kills it, if this is the place.
 *
 * @param wanted the value of `CC_CI_STOP_AT`
 */
export async function stopHere(here: string, wanted: string | undefined): Promise<void> {
  if (wanted !== here) return;
  process.kill(process.pid, "SIGSTOP");
  // The signal reaches the whole process only at its next turn: nothing may happen before it does.
  await new Promise((resolve) => setTimeout(resolve, 100));
}
