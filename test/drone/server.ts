import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Background } from "../background.ts";
import { answers } from "../forge/gitea.ts";
import { until } from "../host/machine/processes.ts";

const startSeconds = 30;

export type Variables = Readonly<Record<string, string>>;

/** An answer of Drone, whatever its status. */
export interface DroneAnswer {
  readonly status: number;
  /** The JSON of its body, else its text. */
  readonly body: unknown;
}

/** What a call brings along. */
export interface DroneCall {
  /** @default none: a guest asks */
  readonly token?: string;
  readonly cookies?: string;
  readonly query?: Variables;
  readonly body?: unknown;
  readonly headers?: Variables;
}

/** A Drone server on a loopback port, with a folder of its own. */
export class DroneServer {
  readonly url: string;
  /** What stands for its database. */
  readonly database: string;
  readonly #command: readonly string[];
  readonly #folder: string;
  #settings: Variables;
  #program: Background | undefined;

  /** @param settings what its file of settings says beside address, database and port */
  constructor(command: readonly string[], folder: string, port: number, settings: Variables) {
    mkdirSync(folder, { recursive: true });
    const host = `127.0.0.1:${port}`;
    this.url = `http://${host}`;
    this.database = join(folder, "database.sqlite");
    this.#command = command;
    this.#folder = folder;
    this.#settings = {
      DRONE_SERVER_PROTO: "http",
      DRONE_SERVER_HOST: host,
      DRONE_SERVER_PORT: host,
      DRONE_DATABASE_DATASOURCE: this.database,
      ...settings,
    };
  }

  /** All that it has printed since its last start. */
  get printed(): string {
    return this.#program?.printed ?? "";
  }

  get isRunning(): boolean {
    return this.#program?.isRunning ?? false;
  }

  /** @param changes of its settings, from now on. @param own its environment beside them */
  async start(changes: Variables = {}, own: Variables = {}): Promise<void> {
    this.launch(changes, own);
    await this.#ready();
  }

  /** The same without waiting for it. */
  launch(changes: Variables = {}, own: Variables = {}): void {
    this.#settings = { ...this.#settings, ...changes };
    const file = join(this.#folder, "server.env");
    const lines = Object.entries(this.#settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    this.#run(file, own);
  }

  /** Starts it with its settings in its environment, and a file of settings that is not there. */
  async startBare(): Promise<void> {
    this.#run(join(this.#folder, "nowhere.env"), this.#settings);
    await this.#ready();
  }

  #run(file: string, own: Variables): void {
    const command = [...this.#command, "--env-file", file];
    const env = { PATH: process.env.PATH ?? "", HOME: this.#folder, ...own };
    this.#program = new Background(command, { env, cwd: this.#folder });
  }

  async #ready(): Promise<void> {
    const url = new URL("/healthz", this.url);
    await until("an answer of Drone", startSeconds, () => answers(url), 100);
  }

  /** @returns its exit status */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return (await this.#program?.stop(signal)) ?? null;
  }

  async restart(changes: Variables = {}): Promise<void> {
    await this.stop();
    await this.start(changes);
  }

  async ask(method: string, path: string, call: DroneCall = {}): Promise<DroneAnswer> {
    const url = new URL(path, this.url);
    url.search = new URLSearchParams(call.query ?? {}).toString();
    const answer = await fetch(url, {
      method,
      headers: {
        ...(call.token === undefined ? {} : { Authorization: `Bearer ${call.token}` }),
        ...(call.cookies === undefined ? {} : { Cookie: call.cookies }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: "manual",
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json") && text !== "";
    return { status: answer.status, body: isJson ? JSON.parse(text) : text };
  }
}
