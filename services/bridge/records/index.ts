import { Answers } from "./answers.ts";
import { Attempts } from "./attempts.ts";
import { Commands } from "./commands.ts";
import { Cursors } from "./cursors.ts";
import { Database } from "./database.ts";
import { Requests } from "./requests.ts";
import { tables } from "./tables.ts";

/** All that the bridge remembers. */
export class Records {
  readonly #database: Database;
  readonly commands: Commands;
  readonly requests: Requests;
  readonly answers: Answers;
  readonly attempts: Attempts;
  readonly cursors: Cursors;

  /** @param path of the database, which is made when there is none */
  constructor(path: string) {
    this.#database = new Database(path, tables);
    this.commands = new Commands(this.#database);
    this.requests = new Requests(this.#database);
    this.answers = new Answers(this.#database);
    this.attempts = new Attempts(this.#database);
    this.cursors = new Cursors(this.#database);
  }

  /** All of it lasts, or nothing does. */
  together<Result>(work: () => Result): Result {
    return this.#database.transaction(work);
  }

  close(): void {
    this.#database.close();
  }
}
