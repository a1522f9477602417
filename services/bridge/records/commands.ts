import * as z from "zod";
import { itemsNotDue, type Time } from "./attempts.ts";
import type { Database } from "./database.ts";

/** A comment that is for us. */
export interface AskedFor {
  readonly comment: number;
  readonly repository: string;
  readonly pull: number;
  /** The forge's number of who wrote it, and the name. */
  readonly author: number;
  readonly login: string;
  /** As it was when it was seen. */
  readonly text: string;
  readonly writtenAt: number;
}

/** What became of one. */
export type Verdict =
  /** A test was accepted. */
  | "accepted"
  /** It was answered at once: a status, help, a cancel. */
  | "answered"
  /** It was not quite a command, and what there is was said. */
  | "helped"
  /** No, and why was said. */
  | "refused"
  /** Nothing is said: the same was said to the same person there just before, or it is of a stranger. */
  | "ignored"
  /** It is gone, or says something else by now. */
  | "withdrawn"
  /** The forge would not say, however often it was asked, what there is to know before. */
  | "given-up";

const row = z
  .object({
    ...{ comment: z.int(), repository: z.string(), pull: z.int(), author: z.int() },
    ...{ login: z.string(), text: z.string(), written_at: z.int() },
  })
  .transform(({ written_at, ...rest }): AskedFor => ({ ...rest, writtenAt: written_at }));

/** Comments that are for us, each once. */
export class Commands {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns false when it is there already */
  takeIn({ writtenAt, ...values }: AskedFor, now: number): boolean {
    const changed = this.#database.run(
      `INSERT INTO commands (comment, repository, pull, author, login, text, written_at, seen_at)
       VALUES (:comment, :repository, :pull, :author, :login, :text, :writtenAt, :now)
       ON CONFLICT DO NOTHING`,
      { ...values, writtenAt, now },
    );
    return changed > 0;
  }

  /** Whether this comment was seen before. */
  knows(comment: number): boolean {
    const sql = "SELECT 1 FROM commands WHERE comment = :comment";
    return this.#database.first(z.unknown(), sql, { comment }) !== undefined;
  }

  /**
   * Those that nothing was decided about and whose turn it is, in the order in which they were written. What was
   * written before them on the same pull request comes first, as long as only a silence is in its way: a cancel is of
   * a test. After a no it would be in the way of all that came after it.
   */
  unjudged(limit: number, time: Time): readonly AskedFor[] {
    return this.#database.all(
      row,
      `WITH waiting AS (${itemsNotDue("judge")})
       SELECT comment, repository, pull, author, login, text, written_at FROM commands
       WHERE judged_at IS NULL
       AND comment NOT IN (SELECT CAST(item AS INTEGER) FROM waiting)
       AND NOT EXISTS (
         SELECT 1 FROM waiting JOIN commands AS earlier ON earlier.comment = CAST(item AS INTEGER)
         WHERE waiting.noes = 0 AND earlier.judged_at IS NULL
         AND earlier.repository = commands.repository AND earlier.pull = commands.pull
         AND earlier.comment < commands.comment
       )
       ORDER BY comment LIMIT :limit`,
      { limit, ...time },
    );
  }

  judge(comment: number, verdict: Verdict, now: number): void {
    this.#database.run(
      "UPDATE commands SET judged_at = :now, verdict = :verdict WHERE comment = :comment",
      { comment, verdict, now },
    );
  }

  /** How often somebody had an answer of that kind on a pull request since then. */
  countAnswers(
    { repository, pull, author }: Pick<AskedFor, "repository" | "pull" | "author">,
    verdict: Verdict,
    since: number,
  ): number {
    return this.#count(
      `repository = :repository AND pull = :pull AND author = :author AND verdict = :verdict
       AND judged_at >= :since`,
      { repository, pull, author, verdict, since },
    );
  }

  countUnjudged(): number {
    return this.#count("judged_at IS NULL", {});
  }

  /** Forgets what was judged before then. */
  forget(before: number): void {
    this.#database.run("DELETE FROM commands WHERE judged_at < :before", { before });
  }

  #count(where: string, values: Readonly<Record<string, string | number>>): number {
    const sql = `SELECT count(*) AS count FROM commands WHERE ${where}`;
    return this.#database.first(z.object({ count: z.int() }), sql, values)?.count ?? 0;
  }
}
