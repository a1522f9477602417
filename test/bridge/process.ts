import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { type BridgeSettings, bridgePlaces } from "../../services/lib/bridge-settings.ts";
import { stopAtVariable } from "../../services/lib/stop-here.ts";
import { Background } from "../background.ts";
import { bundleOf } from "../host/bundle.ts";
import { until } from "../host/machine/processes.ts";

const entrySchema = z.looseObject({ level: z.string(), msg: z.string().optional() });

/** A line of its log. */
export type LogEntry = z.infer<typeof entrySchema>;

export interface BridgeSecrets {
  readonly forgeToken: string;
  readonly droneToken: string;
  readonly webhookKey?: string;
  readonly previousWebhookKey?: string;
}

/** The bridge as a process of this machine, over a folder that has what its container would. */
export class BridgeProcess {
  readonly root: string;
  #program: Background | undefined;
  #earlier = "";

  constructor(root: string, settings: BridgeSettings, secrets: BridgeSecrets) {
    this.root = root;
    this.configure(settings);
    for (const [name, secret] of Object.entries(secrets)) {
      this.#write(bridgePlaces.secrets[name as keyof BridgeSecrets], `${secret}\n`);
    }
    for (const folder of [dirname(bridgePlaces.database), bridgePlaces.runs, bridgePlaces.control])
      mkdirSync(join(root, folder), { recursive: true });
  }

  /** From the next start on. */
  configure(settings: BridgeSettings): void {
    this.#write(bridgePlaces.settings, JSON.stringify(settings));
  }

  at(path: string): string {
    return join(this.root, path);
  }

  /** @param stopAt the step of the gate to stand still at, as in `bridge:3:before` */
  async start(stopAt?: string): Promise<void> {
    const file = join(this.root, "bridge.cjs");
    writeFileSync(file, bundleOf(join(import.meta.dirname, "../../services/bridge/main.ts")));
    this.#earlier += this.#program?.printed ?? "";
    const env: Record<string, string> = stopAt === undefined ? {} : { [stopAtVariable]: stopAt };
    this.#program = new Background([process.execPath, file, "--root", this.root], { env });
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
    return entriesOf(this.#program?.printed ?? "");
  }

  /** And in all of its lives. */
  get wholeLog(): readonly LogEntry[] {
    return entriesOf(this.#earlier + (this.#program?.printed ?? ""));
  }

  /** Waits for a line of its log since its last start. */
  async says(message: string, seconds = 20): Promise<LogEntry> {
    try {
      return await until(`the bridge saying ${message}`, seconds, async () => {
        if (!this.isRunning) throw new Error(`the bridge has ended: ${this.#program?.printed}`);
        return this.log.find(({ msg }) => msg === message);
      });
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#program?.printed}`);
    }
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
