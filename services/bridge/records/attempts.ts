import * as z from "zod";
import type { Database } from "./database.ts";

/** The steps of the pipeline that may not succeed at once. */
const duties = [
  // Finding out what is new.
  ...(["look", "read", "nudge"] as const),
  // What is decided about a comment, and what is answered.
  ...(["judge", "react", "reply", "tell"] as const),
  // Builds: having one begin, finding one again, going by it, and ending one that nobody waits for.
  ...(["begin", "find", "follow", "end stray"] as const),
] as const;

export type Duty = (typeof duties)[number];

const row = z.object({
  ...{ duty: z.enum(duties), item: z.string(), tries: z.int(), noes: z.int() },
  ...{ since: z.int(), next_at: z.int() },
  ...{ trouble: z.string(), parked: z.int() },
});

/** Something that did not succeed yet. */
export interface Attempt {
  readonly duty: Duty;
  readonly item: string;
  readonly tries: number;
  /** How many of those were answered, with a no. */
  readonly noes: number;
  /** Since when it does not succeed. */
  readonly since: number;
  readonly nextAt: number;
  readonly trouble: string;
  /** Whether it is tried no more. */
  readonly isParked: boolean;
}

/** When it is, and how far off the next time can be, in milliseconds: farther off, a clock went back since. */
export interface Time {
  readonly now: number;
  readonly longest: number;
}

/** Part of a statement that has a `Time` among its values: the items of a duty whose time has not come. */
export function itemsNotDue(duty: Duty): string {
  return `SELECT item, noes FROM attempts
    WHERE duty = '${duty}' AND parked = 0 AND next_at > :now AND next_at <= :now + :longest`;
}

/** What is tried again later. */
export class Attempts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(duty: Duty, item: string): Attempt | undefined {
    const sql = "SELECT * FROM attempts WHERE duty = :duty AND item = :item";
    const found = this.#database.first(row, sql, { duty, item });
    if (found === undefined) return undefined;
    const { next_at: nextAt, parked, ...rest } = found;
    return { ...rest, nextAt, isParked: parked === 1 };
  }

  failed({ isParked, ...values }: Attempt): void {
    this.#database.run(
      `INSERT OR REPLACE INTO attempts (duty, item, tries, noes, since, next_at, trouble, parked)
       VALUES (:duty, :item, :tries, :noes, :since, :nextAt, :trouble, :parked)`,
      { ...values, parked: isParked ? 1 : 0 },
    );
  }

  succeeded(duty: Duty, item: string): void {
    const sql = "DELETE FROM attempts WHERE duty = :duty AND item = :item";
    this.#database.run(sql, { duty, item });
  }

  /** What is the matter with what did not succeed. */
  troubles(): readonly string[] {
    const schema = z.object({ trouble: z.string() });
    const sql = "SELECT DISTINCT trouble FROM attempts WHERE parked = 0 ORDER BY trouble";
    return this.#database.all(schema, sql).map(({ trouble }) => trouble);
  }

  /** When the next of a duty is due; undefined where none waits. */
  nextAt(duty: Duty, { now }: Time): number | undefined {
    const sql = `SELECT min(next_at) AS at FROM attempts
      WHERE duty = :duty AND parked = 0 AND next_at > :now`;
    const found = this.#database.first(z.object({ at: z.int().nullable() }), sql, { duty, now });
    return found?.at ?? undefined;
  }

  /** How many were given up since then. */
  countParked(since: number): number {
    return this.#count("parked = 1 AND next_at >= :since", { since });
  }

  /** Of how many of a duty the last try was answered with a no. */
  countNoes(duty: Duty): number {
    return this.#count("duty = :duty AND noes > 0", { duty });
  }

  forget(before: number): void {
    this.#database.run("DELETE FROM attempts WHERE since < :before", { before });
  }

  #count(where: string, values: Readonly<Record<string, string | number>>): number {
    const sql = `SELECT count(*) AS count FROM attempts WHERE ${where}`;
    return this.#database.first(z.object({ count: z.int() }), sql, values)?.count ?? 0;
  }
}
