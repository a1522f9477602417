import { largestPage } from "../../lib/forge/client.ts";
import type { ForgeComment, FoundPull } from "../../lib/forge/schemas.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import { attempt } from "./attempt.ts";
import type { Bridge } from "./bridge.ts";
import { noteHead } from "./heads.ts";
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

/** Of pull requests of which something happened since the last look. */
const mostPages = 200;

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
    const { records, now } = this.#bridge;
    const begun = now();
    const cursor = records.cursors.at("search");
    if (cursor === undefined) {
      // What was written before anybody listened is not for us.
      records.cursors.move("search", begun);
      return;
    }
    const since = new Date(cursor - (kind === "sweep" ? sweepOverlap : overlap));
    const moved = await this.#movedSince(since);
    const seen = new Map(moved.map((pull) => [keyOf(pull), this.#seenOf(pull, begun)]));
    const unread = moved.filter((pull) => kind === "sweep" || !seen.get(keyOf(pull))?.isRead);
    const moves = this.#enrolled(unread);
    for (const { repository } of this.#bridge.settings.recipes) {
      await this.#read(repository, moves.get(repository), since);
    }
    for (const each of seen.values()) each.isRead ||= begun - each.at >= settlingMilliseconds;
    this.#seen = seen;
    const newest = Math.max(cursor, ...moved.map(({ updatedAt }) => updatedAt.getTime()));
    records.cursors.move("search", newest);
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

  async #movedSince(since: Date): Promise<readonly FoundPull[]> {
    const { forge, settings } = this.#bridge;
    const found: FoundPull[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const part = { page, limit: largestPage };
      const pulls = await forge.movedPulls(settings.forge.organisation, since, part);
      found.push(...pulls);
      if (pulls.length < largestPage) break;
    }
    return found;
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

  /** Page by page: of comments there may be any number, each of any size. */
  async #takeInSince(repository: string, since: Date): Promise<void> {
    let singles = 0;
    for (let offset = 0; ; ) {
      const limit = singles > 0 ? 1 : largestPage;
      const comments = await this.#page(repository, since, { page: offset / limit + 1, limit });
      const isWhole = comments !== undefined;
      for (const comment of comments ?? []) takeIn(this.#bridge, repository, comment);
      if (isWhole && comments.length < limit) return;
      // Of too much at once, one after another; one that alone is too much is no command.
      if (!isWhole && limit > 1) singles = limit;
      else offset += limit;
      if (limit === 1) singles -= 1;
    }
  }

  /** Undefined when it is more than can be taken. */
  async #page(
    repository: string,
    since: Date,
    page: { readonly page: number; readonly limit: number },
  ): Promise<readonly ForgeComment[] | undefined> {
    try {
      return await this.#bridge.forge.comments(repository, since, page);
    } catch (error) {
      if (error instanceof ForgeRefusal && error.trouble === "too-long") return undefined;
      throw error;
    }
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
