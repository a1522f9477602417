import * as z from "zod";
import { itemsNotDue, type Time } from "./attempts.ts";
import type { Database } from "./database.ts";

const nudge = z.object({
  repository: z.string(),
  kind: z.enum(["comment", "push"]),
  /** Of the comment, or of the pull request. */
  number: z.int(),
});

/** A new comment that we were told of, or a pull request to which something was pushed. */
export type Nudge = Readonly<z.infer<typeof nudge>>;

const noted = nudge.extend({ id: z.int(), item: z.string() });

/** One that was written down, with what it is called among what is tried again. */
export type NotedNudge = Readonly<z.infer<typeof noted>>;

/** What is known of what is new on the forge. */
export class Cursors {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Up to when it was asked; undefined where it never was. */
  at(name: string): number | undefined {
    const sql = "SELECT at FROM cursors WHERE name = :name";
    return this.#database.first(z.object({ at: z.int() }), sql, { name })?.at;
  }

  move(name: string, at: number): void {
    this.#database.run(
      `INSERT INTO cursors (name, at) VALUES (:name, :at)
       ON CONFLICT (name) DO UPDATE SET at = :at`,
      { name, at },
    );
  }

  /** Forgets that there was one. */
  drop(name: string): void {
    this.#database.run("DELETE FROM cursors WHERE name = :name", { name });
  }

  nudge(values: Nudge): void {
    this.#database.run(
      `INSERT OR REPLACE INTO nudges (repository, kind, number)
       VALUES (:repository, :kind, :number)`,
      values,
    );
  }

  /** Those whose turn it is. */
  nudges(limit: number, time: Time): readonly NotedNudge[] {
    return this.#database.all(
      noted,
      `SELECT *, kind || ' ' || repository || ' ' || number AS item FROM nudges
       WHERE item NOT IN (SELECT item FROM (${itemsNotDue("nudge")}))
       ORDER BY kind, number LIMIT :limit`,
      { limit, ...time },
    );
  }

  /** Not where we were told of the same again meanwhile: there may be another push. */
  followed({ id }: Pick<NotedNudge, "id">): void {
    this.#database.run("DELETE FROM nudges WHERE id = :id", { id });
  }
}
