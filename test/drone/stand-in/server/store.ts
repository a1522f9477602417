import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Build, LogLine, Permission, Repository, Stage, User } from "../records.ts";

interface Data {
  /** The last number that was given away, for all kinds. */
  lastId: number;
  /** Stands for accounts that are kept encrypted: a digest of the key that they can be read by. */
  key?: string;
  readonly users: User[];
  readonly repositories: Repository[];
  readonly permissions: Permission[];
  readonly builds: Build[];
  readonly stages: Stage[];
  /** By the step's number. */
  readonly logs: Record<string, readonly LogLine[]>;
}

/**
 * All that the server knows, in memory and in one file of JSON, which stands for Drone's database: what
 * is not in it is gone after a restart.
 */
export class Store {
  readonly data: Data;
  readonly #file: string;
  #isGone = false;

  /** @throws {Error} when the file cannot be written or read */
  constructor(file: string) {
    this.#file = file;
    const empty = {
      users: [],
      repositories: [],
      permissions: [],
      builds: [],
      stages: [],
      logs: {},
    };
    this.data = existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as Data)
      : { lastId: 0, ...empty };
    this.#write();
  }

  nextId(): number {
    this.data.lastId += 1;
    return this.data.lastId;
  }

  /** To be called after every change. */
  save(): void {
    // A database that is removed under a server is used on, and comes back for nobody.
    this.#isGone ||= !existsSync(this.#file);
    if (!this.#isGone) this.#write();
  }

  user(id: number): User | undefined {
    return this.data.users.find((user) => user.id === id);
  }

  userCalled(login: string): User | undefined {
    return this.data.users.find((user) => user.login.toLowerCase() === login.toLowerCase());
  }

  repository(id: number): Repository | undefined {
    return this.data.repositories.find((repository) => repository.id === id);
  }

  repositoryCalled(slug: string): Repository | undefined {
    return this.data.repositories.find((each) => each.slug.toLowerCase() === slug.toLowerCase());
  }

  stagesOf(build: Build): readonly Stage[] {
    return this.data.stages.filter((stage) => stage.build_id === build.id);
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.data), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
