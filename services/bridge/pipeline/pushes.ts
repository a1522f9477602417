import type { Pull } from "../../lib/forge/schemas.ts";
import type { Bridge } from "./bridge.ts";

/** The forge writes down the opening of a pull request as a push, about a second after it; within so many, surely. */
const openingMilliseconds = 10_000;

/**
 * Whether something was pushed after a comment was written, or in the same second: so it is not known what its
 * author had looked at. A push of the last second may not be written down yet.
 */
export async function pushedSince(
  { forge }: Pick<Bridge, "forge">,
  pull: Pull,
  writtenAt: number,
): Promise<boolean> {
  const opened = pull.createdAt.getTime();
  const isYoung = writtenAt - opened < openingMilliseconds;
  const since = new Date(isYoung ? opened : writtenAt);
  const events = await forge.eventsOf(pull.base, pull.number, since);
  const pushes = events
    .filter(({ type }) => type === "pull_push")
    .toSorted((left, right) => left.id - right.id)
    // Of a young one, all are there: the first is its opening.
    .slice(isYoung ? 1 : 0);
  return pushes.some(({ createdAt }) => createdAt.getTime() >= writtenAt);
}
