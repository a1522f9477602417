import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import * as z from "zod";

type Values = Readonly<Record<string, SQLInputValue>>;

/** For how long somebody else may write, such as a person who looks into it, in milliseconds. */
const otherMilliseconds = 2000;

/**
 * SQLite, as far as it is used here. What `transaction` has returned from lasts, also through a power cut;
 * of what it threw in, nothing does.
 */
export class Database {
  readonly #database: DatabaseSync;
  /** By their text, of which there are few. */
  readonly #statements = new Map<string, StatementSync>();
  #isInTransaction = false;

  /**
   * @param path a file, which is made when there is none, or `:memory:`
   * @param changes statements that made each version of its tables of the one before
   * @throws {Error} when it is no database, or a newer program has written it
   */
  constructor(path: string, changes: readonly string[]) {
    this.#database = opened(path);
    const { version } = z
      .object({ version: z.int() })
      .parse(
        this.#database.prepare("SELECT user_version AS version FROM pragma_user_version").get(),
      );
    if (version > changes.length) {
      throw new Error(
        `${path} is of version ${version} and this program knows ${changes.length}: run the newer one, or move the file away and lose what was asked for and not yet answered`,
      );
    }
    for (const [index, change] of changes.entries()) {
      if (index < version) continue;
      this.transaction(() => this.#database.exec(`${change}; PRAGMA user_version = ${index + 1}`));
    }
  }

  /** All or nothing, and nothing in between: what is done in it must not wait. */
  transaction<Result>(work: () => Result): Result {
    if (this.#isInTransaction) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#isInTransaction = true;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      // Of some troubles, such as a full disk, SQLite has gone back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  all<Schema extends z.ZodType>(
    schema: Schema,
    sql: string,
    values: Values = {},
  ): readonly z.infer<Schema>[] {
    return z.array(schema).parse(this.#statement(sql).all(values));
  }

  /** The first of what is found; undefined when nothing is. */
  first<Schema extends z.ZodType>(
    schema: Schema,
    sql: string,
    values: Values = {},
  ): z.infer<Schema> | undefined {
    const row = this.#statement(sql).get(values);
    return row === undefined ? undefined : schema.parse(row);
  }

  /** @returns how many rows it changed */
  run(sql: string, values: Values = {}): number {
    return Number(this.#statement(sql).run(values).changes);
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

function opened(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: otherMilliseconds });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    return database;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${path} cannot be opened (${reason}): put a copy of it there, or move it away and lose what was asked for and not yet answered`,
    );
  }
}
