import { createHash } from "node:crypto";
import type { Page } from "../../../../services/lib/forge/client.ts";
import type { ForgeComment, ForgeUser, PullEvent } from "../../../../services/lib/forge/schemas.ts";
import type { Clock } from "./clock.ts";
import { Trouble } from "./trouble.ts";
import { type Asks, type Words, wordsOf } from "./words.ts";

export const organisation = "recipes";
export const bot: ForgeUser = { id: 1, login: "ci-bot" };

/** A comment, with what only who wrote it knows. */
export interface FakeComment {
  readonly id: number;
  readonly repository: string;
  /** Undefined where it is on an issue. */
  readonly pull: number | undefined;
  readonly user: ForgeUser;
  readonly createdAt: Date;
  updatedAt: Date;
  body: string;
  asks: Asks;
  /** The newest commit when it was written; empty on an issue. */
  readonly head: string;
  /** By login: of each, the names. */
  readonly reactions: Map<string, Set<string>>;
}

export interface FakePull {
  readonly repository: string;
  readonly number: number;
  readonly isForeign: boolean;
  readonly createdAt: Date;
  updatedAt: Date;
  isOpen: boolean;
  /** All that it ever had, the newest last. */
  readonly heads: string[];
  readonly events: PullEvent[];
  /** Its author blocked the bot. */
  isBlocked: boolean;
}

/** What a Gitea knows, and what people do to it. */
export class FakeForge {
  readonly trouble = new Trouble();
  readonly members = new Set<string>();
  readonly pulls: FakePull[] = [];
  readonly comments = new Map<number, FakeComment>();
  /** Those that are gone, by their numbers. */
  readonly gone = new Map<number, FakeComment>();
  /** Those of which it says what nobody understands. */
  readonly strange = new Set<number>();
  /** Pull requests of which the search says more than anybody can take. */
  readonly fat = new Set<FakePull>();
  /** Pull requests of which it has an older commit for who fetches. */
  readonly behind = new Set<FakePull>();
  /** Names of reactions that its operator did not choose. */
  readonly unknownReactions = new Set<string>();
  /** The most that it gives for a page. */
  largestPage = 50;
  /** Of the CI repository. */
  branchHead = commitOf("ci 1");
  readonly clock: Clock;
  #count = 100;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @param isForeign whether it comes from a fork */
  open(repository: string, isForeign: boolean): FakePull {
    const number = 1 + this.pulls.filter((each) => each.repository === repository).length;
    const [createdAt, updatedAt] = [this.clock.second(), this.clock.second()];
    const pull: FakePull = {
      ...{ repository, number, isForeign, createdAt, updatedAt, isOpen: true, isBlocked: false },
      ...{ heads: [commitOf(`${repository} ${number} 1`)], events: [] },
    };
    this.pulls.push(pull);
    this.#writeDown(pull, 1000);
    return pull;
  }

  /** @param delay after how long it is written down, in milliseconds @param asOfThen with the time of that */
  push(pull: FakePull, delay: number, asOfThen: boolean): void {
    pull.heads.push(commitOf(`${pull.repository} ${pull.number} ${pull.heads.length + 1}`));
    this.#writeDown(pull, delay, asOfThen ? undefined : this.clock.second());
  }

  setOpen(pull: FakePull, isOpen: boolean): void {
    pull.isOpen = isOpen;
    pull.updatedAt = this.clock.second();
  }

  write(pull: FakePull, user: ForgeUser, { body, asks }: Words): FakeComment {
    const comment = this.#made(pull.repository, pull.number, user, body, headOf(pull));
    comment.asks = asks;
    pull.updatedAt = comment.createdAt;
    return comment;
  }

  /** Something on an issue, which is nothing for anybody. */
  writeOnIssue(repository: string, user: ForgeUser): FakeComment {
    return this.#made(repository, undefined, user, "!testme", "");
  }

  edit(comment: FakeComment, { body, asks }: Words): void {
    if (comment.body === body) return;
    comment.body = body;
    comment.asks = asks;
    comment.updatedAt = this.clock.second();
  }

  remove(comment: FakeComment): void {
    this.comments.delete(comment.id);
    this.gone.set(comment.id, comment);
  }

  pullOf(repository: string, number: number): FakePull | undefined {
    return this.pulls.find((each) => each.repository === repository && each.number === number);
  }

  /** What the bot says on a pull request. */
  saidBy(user: ForgeUser, { repository, number }: FakePull): readonly FakeComment[] {
    return [...this.comments.values()].filter(
      (each) => each.user.id === user.id && each.repository === repository && each.pull === number,
    );
  }

  /** Of a repository's comments those that were written or changed since then, as the API has them. */
  commentsSince(repository: string, since: Date): readonly FakeComment[] {
    const from = Math.floor(since.getTime() / 1000) * 1000;
    return [...this.comments.values()].filter(
      (each) => each.repository === repository && each.updatedAt.getTime() >= from,
    );
  }

  pageOf<Item>(items: readonly Item[], { page, limit }: Page): readonly Item[] {
    const most = Math.min(limit, this.largestPage);
    return items.slice((page - 1) * most, page * most);
  }

  #made(
    repository: string,
    pull: number | undefined,
    user: ForgeUser,
    body: string,
    head: string,
  ): FakeComment {
    this.#count += 1;
    const comment: FakeComment = {
      ...{ id: this.#count, repository, pull, user, body, head, asks: { for: "nothing" } },
      ...{ createdAt: this.clock.second(), updatedAt: this.clock.second() },
      reactions: new Map(),
    };
    this.comments.set(comment.id, comment);
    return comment;
  }

  #writeDown(pull: FakePull, delay: number, at?: Date): void {
    const pushed = headOf(pull);
    this.clock.plan(delay, () => {
      this.#count += 1;
      const createdAt = at ?? this.clock.second();
      pull.events.push({ id: this.#count, type: "pull_push", createdAt, pushed });
      pull.updatedAt = this.clock.second();
    });
  }
}

export function headOf({ heads }: FakePull): string {
  return heads.at(-1) ?? "";
}

/** Words for a pull request as it is now. */
export function wordsFor(pull: FakePull, kind: Parameters<typeof wordsOf>[0]): Words {
  return wordsOf(kind, headOf(pull), pull.heads.at(-2) ?? commitOf("none"));
}

/** As the API shows it. */
export function seen(comment: FakeComment): ForgeComment {
  const { id, body, user, createdAt, updatedAt, pull } = comment;
  return { id, body, user, createdAt, updatedAt, pull };
}

/** Some commit, always the same for the same name. */
export function commitOf(name: string): string {
  return createHash("sha1").update(name).digest("hex");
}
