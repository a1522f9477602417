import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { type BridgeSettings, bridgePlaces } from "../../services/lib/bridge-settings.ts";
import { stopAtVariable } from "../../services/lib/stop-here.ts";
import { Background } from "../background.ts";
import { bundleOf } from "../host/bundle.ts";
import { isFrozen, kill, until } from "../host/machine/processes.ts";

const entrySchema = z.looseObject({
  ...{ level: z.string(), msg: z.string().optional(), time: z.string() },
  ...{ comment: z.int().optional(), pull: z.int().optional(), step: z.int().optional() },
  ...{ act: z.string().optional(), target: z.string().optional() },
  ...{ verdict: z.string().optional(), why: z.string().optional() },
  ...{ outcome: z.string().optional(), reason: z.string().nullish() },
  ...{ build: z.int().nullish(), head: z.string().optional() },
  ...{ item: z.string().optional(), trouble: z.string().optional() },
  ...{ duty: z.string().optional(), again: z.string().optional(), tries: z.int().optional() },
});

/** A line of its log. */
export type LogEntry = z.infer<typeof entrySchema>;

/** What Node is started with in the image. */
export const nodeFlags: readonly string[] =
  readFileSync(join(import.meta.dirname, "../../nix/packages/bridge-image.nix"), "utf8").match(
    /(?<=")--[a-z-]+=\d+(?=")/g,
  ) ?? [];

export interface BridgeSecrets {
  readonly forgeToken: string;
  readonly droneToken: string;
  readonly webhookKey?: string;
  readonly previousWebhookKey?: string;
}

/** Between two looks at a log, in milliseconds. */
const logPause = 50;

const healthSchema = z.object({ ok: z.boolean(), problems: z.array(z.string()) });

/** The bridge as a process of this machine, over a folder that has what its container would. */
export class BridgeProcess implements AsyncDisposable {
  readonly root: string;
  /** All that it was ever given to keep to itself. */
  readonly #secrets = new Set<string>();
  #program: Background | undefined;
  #earlier = "";
  #earlierLog: readonly LogEntry[] = [];
  #log: LogEntry[] = [];
  /** How much of what it printed since its last start is in its log. */
  #read = 0;

  constructor(root: string, settings: BridgeSettings, secrets: BridgeSecrets) {
    this.root = root;
    this.configure(settings);
    for (const name of ["forgeToken", "droneToken", "webhookKey", "previousWebhookKey"] as const) {
      const secret = secrets[name];
      if (secret !== undefined) this.give(name, secret);
    }
    for (const folder of [dirname(bridgePlaces.database), bridgePlaces.runs, bridgePlaces.control])
      mkdirSync(join(root, folder), { recursive: true });
  }

  /** From the next start on. */
  configure(settings: BridgeSettings): void {
    this.#write(bridgePlaces.settings, JSON.stringify(settings));
  }

  /** Gives it a secret, from the next start on. */
  give(name: keyof BridgeSecrets, secret: string): void {
    this.#secrets.add(secret);
    this.#write(bridgePlaces.secrets[name], `${secret}\n`);
  }

  take(name: keyof BridgeSecrets): void {
    rmSync(join(this.root, bridgePlaces.secrets[name]));
  }

  /** The operator's word that no test is taken. */
  close(reason: string): void {
    this.#write(join(bridgePlaces.control, "stop"), `${reason}\n`);
  }

  reopen(): void {
    rmSync(join(this.root, bridgePlaces.control, "stop"));
  }

  at(path: string): string {
    return join(this.root, path);
  }

  /** @param stopAt the step of the gate to stand still at, as in `bridge:3:before` */
  async start(stopAt?: string): Promise<void> {
    const file = join(this.root, "bridge.cjs");
    writeFileSync(file, bundleOf(join(import.meta.dirname, "../../services/bridge/main.ts")));
    this.#earlierLog = this.wholeLog;
    this.#earlier += this.#program?.printed ?? "";
    this.#log = [];
    this.#read = 0;
    const env: Record<string, string> = stopAt === undefined ? {} : { [stopAtVariable]: stopAt };
    const command = [process.execPath, ...nodeFlags, file, "--root", this.root];
    this.#program = new Background(command, { env });
    await this.says("listens");
  }

  get isRunning(): boolean {
    return this.#program?.isRunning ?? false;
  }

  get pid(): number {
    if (this.#program === undefined) throw new Error("the bridge was not started");
    return this.#program.pid;
  }

  /** What it has said since its last start. */
  get log(): readonly LogEntry[] {
    const printed = this.#program?.printed ?? "";
    const end = printed.lastIndexOf("\n") + 1;
    // Who waits for a line looks often.
    if (end > this.#read) this.#log.push(...entriesOf(printed.slice(this.#read, end)));
    this.#read = end;
    return this.#log;
  }

  /** And in all of its lives. */
  get wholeLog(): readonly LogEntry[] {
    return [...this.#earlierLog, ...this.log];
  }

  /** All that it has printed, in all of its lives. */
  get printed(): string {
    return this.#earlier + (this.#program?.printed ?? "");
  }

  /** Waits for a line of its log since its last start. */
  async says(message: string, seconds = 60): Promise<LogEntry> {
    return await this.#entry(message, seconds, () => this.log.find(({ msg }) => msg === message));
  }

  /** Waits for what it decides about a comment, in whichever life. */
  async judged(comment: number, seconds = 120): Promise<LogEntry> {
    return await this.#entry(`what is decided about ${comment}`, seconds, () =>
      this.wholeLog.find((entry) => entry.msg === "judged" && entry.comment === comment),
    );
  }

  /** Waits for what the test comes to that a comment asked for, in whichever life. */
  async ended(comment: number, seconds = 180): Promise<LogEntry> {
    return await this.#entry(`the end of the test of ${comment}`, seconds, () =>
      this.wholeLog.find((entry) => entry.msg === "ended" && entry.comment === comment),
    );
  }

  /** Lines of its log that hold a secret. */
  get leaks(): readonly string[] {
    const secrets = [...this.#secrets];
    const holdsOne = (line: string): boolean => secrets.some((secret) => line.includes(secret));
    return this.printed.split("\n").filter(holdsOne);
  }

  /** What it has done to forge and Drone, in all of its lives. */
  get acts(): readonly LogEntry[] {
    return this.wholeLog.filter(({ msg }) => msg === "does");
  }

  async #entry(what: string, seconds: number, find: () => LogEntry | undefined): Promise<LogEntry> {
    try {
      return await until(
        what,
        seconds,
        () => {
          if (!this.isRunning) throw new Error("the bridge has ended");
          return find();
        },
        logPause,
      );
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#program?.printed}`);
    }
  }

  /** Whether it stands still at the step that it was started for. */
  get isFrozen(): boolean {
    return isFrozen(this.pid);
  }

  async freezes(seconds = 60): Promise<void> {
    await until("the bridge standing still", seconds, () => this.isFrozen || undefined);
  }

  /** Has it go on from where it stands still. */
  goOn(): void {
    kill(this.pid, "SIGCONT");
  }

  /** Waits until it has asked the forge what is new: it knows then from when on things are new to it. */
  async looks(): Promise<void> {
    await this.says("is a member, and begins");
    await until("a look at the forge", 60, async () => {
      const looked = await this.metric("cc_ci_bridge_forge_looked_timestamp_seconds");
      return looked > 0 || undefined;
    });
  }

  /** What it says of itself, by the whole name of a metric; NaN where it says nothing. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.metricsUrl}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  }

  async health(): Promise<z.infer<typeof healthSchema> & { readonly status: number }> {
    const answer = await fetch(`${this.url}/healthz`);
    return { ...healthSchema.parse(await answer.json()), status: answer.status };
  }

  /** Changes what it remembers. It must not run. */
  remember(sql: string): void {
    const database = new DatabaseSync(this.at(bridgePlaces.database));
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async kill(): Promise<void> {
    await this.#program?.stop("SIGKILL");
  }

  /** @returns its exit status */
  async stop(): Promise<number | null> {
    return (await this.#program?.stop("SIGTERM")) ?? null;
  }

  /** Its public port, since its last start. */
  get url(): string {
    const port = this.log.find(({ msg }) => msg === "listens")?.port;
    return `http://127.0.0.1:${port}`;
  }

  get metricsUrl(): string {
    const port = this.log.find(({ msg }) => msg === "listens")?.metricsPort;
    return `http://127.0.0.1:${port}`;
  }

  #write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o600 });
  }
}

function entriesOf(printed: string): readonly LogEntry[] {
  return printed.split("\n").flatMap((line) => {
    try {
      return [entrySchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
