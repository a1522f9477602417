import * as z from "zod";
import type { Database } from "./database.ts";

const nudge = z.object({ repository: z.string(), comment: z.int() });

/** A comment that we were told of. */
export type Nudge = Readonly<z.infer<typeof nudge>>;

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

  /** Never back. */
  move(name: string, at: number): void {
    this.#database.run(
      `INSERT INTO cursors (name, at) VALUES (:name, :at)
       ON CONFLICT (name) DO UPDATE SET at = max(at, :at)`,
      { name, at },
    );
  }

  /** Forgets that there was one. */
  drop(name: string): void {
    this.#database.run("DELETE FROM cursors WHERE name = :name", { name });
  }

  nudge({ repository, comment }: Nudge): void {
    this.#database.run(
      "INSERT INTO nudges (repository, comment) VALUES (:repository, :comment) ON CONFLICT DO NOTHING",
      { repository, comment },
    );
  }

  nudges(limit: number): readonly Nudge[] {
    const sql = "SELECT repository, comment FROM nudges ORDER BY comment LIMIT :limit";
    return this.#database.all(nudge, sql, { limit });
  }

  followed({ repository, comment }: Nudge): void {
    this.#database.run("DELETE FROM nudges WHERE repository = :repository AND comment = :comment", {
      repository,
      comment,
    });
  }
}
