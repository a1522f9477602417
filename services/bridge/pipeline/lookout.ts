import type { FoundPull } from "../../lib/forge/schemas.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import { attempt } from "../pacing/attempt.ts";
import type { Bridge } from "./bridge.ts";
import { noteHead } from "./heads.ts";
import { overAll } from "./paging.ts";
import { takeIn } from "./take-in.ts";

/**
 * How far each look goes back behind the newest that the last one saw, in milliseconds: the forge may tell of
 * things a little later than they happened.
 */
const overlap = 10_000;

/** And how far one that looks for what was missed: a hook may be lost, and a list move while it is read. */
const sweepOverlap = 60 * 60_000;

/**
 * For how long the comments of a pull request are read again after something happened to it, in milliseconds: the
 * forge's times have whole seconds, so there may be more within the same one.
 */
const settlingMilliseconds = 3000;

/** Looks for new comments. */
export class Lookout {
  readonly #bridge: Bridge;
  /** By pull request: of when the newest is that was seen, and when it was seen first. */
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /**
   * Asks which pull requests of the organisation had something happen to them, which is one request if none had, and
   * takes in their new comments.
   *
   * @param kind a sweep looks back further
   */
  async look(kind: "tick" | "sweep"): Promise<void> {
    const { records, settings, now } = this.#bridge;
    const begun = now();
    const cursor = records.cursors.at("search");
    if (cursor === undefined) {
      // What was written before anybody listened is not for us.
      records.cursors.move("search", begun);
      records.cursors.move("first", begun);
      return;
    }
    // One of the future, of a clock that went wrong, would have us hear nothing until then.
    const newestBefore = Math.min(cursor, begun);
    const back = newestBefore - (kind === "sweep" ? sweepOverlap : overlap);
    const first = records.cursors.at("first") ?? back;
    const since = new Date(first > begun ? back : Math.max(back, first));
    const { moved, isWhole } = await this.#movedSince(since);
    const seen = new Map(moved.map((pull) => [keyOf(pull), this.#seenOf(pull, begun)]));
    const unread = moved.filter((pull) => kind === "sweep" || !seen.get(keyOf(pull))?.isRead);
    const moves = this.#enrolled(unread);
    for (const { repository } of settings.recipes) {
      // A sweep sees whether each is there still; and what cannot be read may be of any.
      const pulls = moves.get(repository) ?? (isWhole && kind === "tick" ? undefined : []);
      await this.#read(repository, pulls, since);
    }
    for (const each of seen.values()) each.isRead ||= begun - each.at >= settlingMilliseconds;
    this.#seen = seen;
    const newest = Math.max(newestBefore, ...moved.map(({ updatedAt }) => updatedAt.getTime()));
    records.cursors.move("search", Math.min(newest, begun));
  }

  /**
   * Reads what is new in one repository. Trouble with it keeps no other one waiting, and what is not read is owed.
   *
   * @param pulls those that moved; undefined where none did
   * @throws {ForgeRefusal} when the forge does not answer
   */
  async #read(
    repository: string,
    pulls: readonly FoundPull[] | undefined,
    since: Date,
  ): Promise<void> {
    const { cursors } = this.#bridge.records;
    const name = `owed ${repository}`;
    const owed = cursors.at(name);
    if (pulls === undefined && owed === undefined) return;
    const from = new Date(Math.min(since.getTime(), owed ?? since.getTime()));
    const came = await attempt(this.#bridge, { duty: "read", item: repository }, async () => {
      await this.#takeInSince(repository, from);
      for (const { number } of pulls ?? []) await noteHead(this.#bridge, repository, number);
    });
    if (came.as === "done") {
      if (owed !== undefined) cursors.drop(name);
      return;
    }
    if (owed === undefined) cursors.move(name, from.getTime());
    if (came.as === "later" && came.isSilence) {
      throw new ForgeRefusal("silent", `nothing is told of ${repository}`);
    }
  }

  /** Those of which something happened; whole where none was too much to be read. */
  async #movedSince(since: Date) {
    const { forge, settings } = this.#bridge;
    const moved: FoundPull[] = [];
    const skipped = await overAll({
      read: async (page) => await forge.movedPulls(settings.forge.organisation, since, page),
      limit: await forge.largestPage(),
      take: (pulls) => moved.push(...pulls),
    });
    return { moved, isWhole: skipped === 0 };
  }

  #seenOf(pull: FoundPull, now: number): Seen {
    const updatedAt = pull.updatedAt.getTime();
    const before = this.#seen.get(keyOf(pull));
    return before?.updatedAt === updatedAt ? before : { updatedAt, at: now, isRead: false };
  }

  #enrolled(pulls: readonly FoundPull[]): ReadonlyMap<string, readonly FoundPull[]> {
    const names = this.#bridge.settings.recipes.map(({ repository }) => repository);
    const found = new Map<string, FoundPull[]>();
    for (const pull of pulls) {
      const lower = pull.repository.toLowerCase();
      const name = names.find((each) => each.toLowerCase() === lower);
      if (name !== undefined) found.set(name, [...(found.get(name) ?? []), pull]);
    }
    return found;
  }

  async #takeInSince(repository: string, since: Date): Promise<void> {
    const { forge } = this.#bridge;
    await overAll({
      read: async (page) => await forge.comments(repository, since, page),
      limit: await forge.largestPage(),
      take: (comments) => {
        for (const comment of comments) takeIn(this.#bridge, repository, comment);
      },
    });
  }
}

interface Seen {
  readonly updatedAt: number;
  /** When that was seen first, by our own clock. */
  readonly at: number;
  /** Whether all of that second was read. */
  isRead: boolean;
}

function keyOf({ repository, number }: FoundPull): string {
  return `${repository}#${number}`;
}
