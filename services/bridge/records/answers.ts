import * as z from "zod";
import type { Database } from "./database.ts";

/** The reactions that we give; each is in the forge's usual set. */
export type Reaction = "eyes" | "+1" | "-1" | "confused";

const reactionSchema = z.enum(["eyes", "+1", "-1", "confused"]);

export interface Reply {
  /** The comment that is answered. */
  readonly comment: number;
  readonly repository: string;
  readonly pull: number;
  /** When that was written. */
  readonly writtenAt: number;
  readonly body: string;
}

/** One that is not known to be there. */
export interface OwedReply extends Reply {
  /** When it was last begun to be posted; null where it never was. */
  readonly triedAt: number | null;
}

const replyRow = z
  .object({
    ...{ comment: z.int(), repository: z.string(), pull: z.int(), written_at: z.int() },
    ...{ body: z.string(), tried_at: z.int().nullable() },
  })
  .transform(
    ({ written_at: writtenAt, tried_at: triedAt, ...rest }): OwedReply => ({
      ...{ ...rest, writtenAt, triedAt },
    }),
  );

const reactionRow = z.object({
  ...{ comment: z.int(), repository: z.string() },
  ...{ wanted: reactionSchema, given: reactionSchema.nullable() },
});

/** A comment with the reaction that it is to have. */
export type OwedReaction = Readonly<z.infer<typeof reactionRow>>;

const pullRow = z
  .object({
    ...{ repository: z.string(), pull: z.int(), head: z.string() },
    ...{ comment: z.int().nullable(), said: z.string().nullable() },
    ...{ changed_at: z.int(), told_at: z.int().nullable() },
  })
  .transform(({ changed_at: changedAt, told_at: toldAt, ...rest }) => ({
    ...{ ...rest, changedAt, toldAt },
  }));

/** A pull request with a test: when something changed, and which of these times is told of. */
export type ToldPull = Readonly<z.infer<typeof pullRow>>;

/** What people are to see on the forge, and what of it is there. */
export class Answers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The first answer to a comment is the one that it gets. */
  reply({ writtenAt, ...values }: Reply): void {
    this.#database.run(
      `INSERT INTO replies (comment, repository, pull, written_at, body)
       VALUES (:comment, :repository, :pull, :writtenAt, :body) ON CONFLICT DO NOTHING`,
      { ...values, writtenAt },
    );
  }

  unposted(): readonly OwedReply[] {
    return this.#database.all(
      replyRow,
      `SELECT comment, repository, pull, written_at, body, tried_at FROM replies
       WHERE posted IS NULL ORDER BY comment`,
    );
  }

  /** Notes that it is about to be posted. */
  tries(comment: number, now: number): void {
    const sql = "UPDATE replies SET tried_at = :now WHERE comment = :comment";
    this.#database.run(sql, { comment, now });
  }

  /** @param as the forge's number of the answer; 0 where it can be given no more */
  posted(comment: number, as: number): void {
    const sql = "UPDATE replies SET posted = :as WHERE comment = :comment";
    this.#database.run(sql, { comment, as });
  }

  react(comment: number, repository: string, wanted: Reaction): void {
    this.#database.run(
      `INSERT INTO reactions (comment, repository, wanted) VALUES (:comment, :repository, :wanted)
       ON CONFLICT (comment) DO UPDATE SET wanted = :wanted`,
      { comment, repository, wanted },
    );
  }

  owedReactions(): readonly OwedReaction[] {
    return this.#database.all(
      reactionRow,
      "SELECT * FROM reactions WHERE given IS NOT wanted ORDER BY comment",
    );
  }

  reacted(comment: number, given: Reaction): void {
    const sql = "UPDATE reactions SET given = :given WHERE comment = :comment";
    this.#database.run(sql, { comment, given });
  }

  /** Where a comment is gone, nothing is owed to it. */
  forgetReaction(comment: number): void {
    this.#database.run("DELETE FROM reactions WHERE comment = :comment", { comment });
  }

  /** How many answers and reactions are not on the forge yet. */
  countOwed(): number {
    return this.unposted().length + this.owedReactions().length;
  }

  /** Forgets answers to what was written before then, and reactions to what is forgotten; comments that tell stay known. */
  forget(before: number): void {
    this.#database.run("DELETE FROM replies WHERE written_at < :before AND posted IS NOT NULL", {
      before,
    });
    this.#database.run(
      `DELETE FROM reactions WHERE given IS wanted
       AND comment NOT IN (SELECT comment FROM commands)`,
    );
  }

  /** Notes which commit a pull request is at, and that it is to be told of. */
  noteHead(repository: string, pull: number, head: string, now: number): void {
    this.#database.run(
      `INSERT INTO pulls (repository, pull, head, changed_at) VALUES (:repository, :pull, :head, :now)
       ON CONFLICT (repository, pull) DO UPDATE SET head = :head, changed_at = :now`,
      { repository, pull, head, now },
    );
  }

  /** Notes that there is something new to be told, where anything is. */
  changed(repository: string, pull: number, now: number): void {
    this.#database.run(
      "UPDATE pulls SET changed_at = :now WHERE repository = :repository AND pull = :pull",
      { repository, pull, now },
    );
  }

  told(repository: string, pull: number): ToldPull | undefined {
    const sql = "SELECT * FROM pulls WHERE repository = :repository AND pull = :pull";
    return this.#database.first(pullRow, sql, { repository, pull });
  }

  /** Those of which something changed since then, and those whose last change was not told, however old it is. */
  changedSince(since: number): readonly ToldPull[] {
    const sql = `SELECT * FROM pulls WHERE changed_at >= :since OR told_at IS NOT changed_at
       ORDER BY changed_at`;
    return this.#database.all(pullRow, sql, { since });
  }

  /**
   * Notes which comment tells of a pull request as it was.
   *
   * @param said a digest of what it says; null where it is not there
   */
  said(
    { repository, pull, changedAt: toldAt }: Pick<ToldPull, "repository" | "pull" | "changedAt">,
    comment: number | null,
    said: string | null,
  ): void {
    this.#database.run(
      `UPDATE pulls SET comment = :comment, said = :said, told_at = :toldAt
       WHERE repository = :repository AND pull = :pull`,
      { repository, pull, comment, said, toldAt },
    );
  }
}
