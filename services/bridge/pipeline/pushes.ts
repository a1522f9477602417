import { largestPage } from "../../lib/forge/client.ts";
import type { Pull, PullEvent } from "../../lib/forge/schemas.ts";
import type { Bridge } from "./bridge.ts";

/** The forge writes down the opening of a pull request as a push, about a second after it; within so many, surely. */
const openingMilliseconds = 10_000;

/** More than anybody reads: of a longer pull request, who asks has to name the commit. */
const mostPages = 40;

/** Whether the newest commit of a pull request was so when a comment on it was written. */
export type Newest =
  | "then"
  /** Something else came after it, or in the same second: it is not known what its author had looked at. */
  | "since"
  /** The forge has not written that down yet. */
  | "not-told";

/**
 * Sees whether what a pull request is at now was pushed before a comment was written. For that the forge must say so
 * of this very commit: it leaves things out of what happened, and writes nothing down of a push while the pull
 * request is closed.
 */
export async function newestAt(
  { forge }: Pick<Bridge, "forge">,
  pull: Pull,
  { comment, writtenAt }: { readonly comment: number; readonly writtenAt: number },
): Promise<Newest> {
  const asked = { comment, writtenAt, opened: pull.createdAt.getTime() };
  const events: PullEvent[] = [];
  // A page that has nothing is not the end: the forge takes out of each what it does not show.
  for (let page = 1; page <= mostPages; page += 1) {
    const found = await forge.eventsOf(pull.base, pull.number, { page, limit: largestPage });
    const wasThere = events.some(({ id }) => id === comment);
    events.push(...found);
    const isThere = wasThere || found.some(({ id }) => id === comment);
    const newest = isThere ? newestOf(events, pull.head, asked) : "not-told";
    // The opening may be written down after the first comments, which is all that the page after that is for.
    if (newest === "then" || wasThere) return newest;
  }
  return "since";
}

function newestOf(
  events: readonly PullEvent[],
  head: string,
  { comment, writtenAt, opened }: Readonly<Record<"comment" | "writtenAt" | "opened", number>>,
): Newest {
  const pushes = events
    .filter(({ type }) => type === "pull_push")
    .toSorted((left, right) => left.id - right.id);
  const isBefore = ({ id, createdAt }: PullEvent) =>
    id < comment && createdAt.getTime() < writtenAt;
  const opening = pushes
    .slice(0, 1)
    .find(({ createdAt }) => createdAt.getTime() < opened + openingMilliseconds);
  const last = pushes.findLast(isBefore) ?? opening;
  if (last?.pushed === head) return "then";
  return pushes.some((push) => push !== last && !isBefore(push)) ? "since" : "not-told";
}
