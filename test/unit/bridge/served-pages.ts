import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import * as z from "zod";
import { NudgeBox } from "../../../services/bridge/listen/nudge-box.ts";
import { listen, metricsPages, publicPages } from "../../../services/bridge/listen/servers.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import { Health } from "../../../services/bridge/telemetry/health.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";
import { makeScratch } from "../../scratch.ts";
import { type Headers, hookKey, previousHookKey } from "./delivery.ts";
import { received } from "./raw-http.ts";
import { bridgeSettings } from "./settings.ts";

interface Served {
  /** @default any */
  readonly port?: number;
  readonly keys?: readonly string[];
  readonly mode?: "poll" | "webhook";
  readonly mostConnections?: number;
  readonly requestMilliseconds?: number;
}

/** What came of a delivery. */
export interface Outcome {
  readonly status: number;
  readonly result: string;
}

/** At which all is due. */
const whenever = { now: 0, longest: 0 };

/** The bridge's pages over empty records, without the rest of the bridge. */
export class ServedPages {
  readonly database: string;
  readonly records: Records;
  readonly health = new Health({ settings: bridgeSettings, now: Date.now, unreadable: () => 0 });
  readonly metrics: Metrics;
  /** Of the public pages that were served last. */
  port = 0;
  /** How often somebody was woken. */
  rings = 0;
  readonly #ending = new AbortController();

  constructor(folder: string) {
    this.database = join(folder, "bridge.sqlite");
    this.records = new Records(this.database);
    this.metrics = new Metrics(this.records, () => undefined);
    this.health.unfit = undefined;
  }

  /** Serves the pages that the proxy may lead to, on another port from now on. */
  async serve({ port = 0, keys, mode = "webhook", ...limits }: Served = {}): Promise<void> {
    const { health, metrics } = this;
    const recipes = ["recipes/wiki", "recipes/x"];
    const hook =
      mode === "poll"
        ? undefined
        : { keys: keys ?? [hookKey, previousHookKey], recipes, box: this.box() };
    const pages = publicPages({ health, metrics, log: { error: vi.fn() }, hook });
    this.port = await listen(pages, port, { signal: this.#ending.signal, ...limits });
  }

  /** The pages for who is inside. @returns their port */
  async serveMetrics(): Promise<number> {
    const { health, metrics } = this;
    return await listen(metricsPages({ metrics, health }), 0, { signal: this.#ending.signal });
  }

  /** Another box over the same records. */
  box(): NudgeBox {
    return new NudgeBox(this.records, () => {
      this.rings += 1;
    });
  }

  /** What the bridge was told of, and has not followed yet. */
  get nudges() {
    return this.records.cursors.nudges(100, whenever);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async post(body: string | Uint8Array<ArrayBuffer>, headers: Headers): Promise<Outcome> {
    // Bytes have no type of their own, of which one would be made where none is given.
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const answer = await fetch(`${this.url}/hook`, { method: "POST", body: bytes, headers });
    const { result } = z.object({ result: z.string() }).parse(await answer.json());
    return { status: answer.status, result };
  }

  connect(): Socket {
    return connect(this.port, "127.0.0.1");
  }

  /** Sends all that, and waits for an answer, or for the end without one. */
  async exchange(...parts: readonly (string | Buffer)[]): Promise<string> {
    const socket = this.connect();
    const closed = received(socket);
    for (const part of parts) socket.write(part);
    let text = "";
    const answered = new Promise<void>((resolve) => {
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
        // The one that only tells to go on is none.
        if (/^HTTP\/1\.1 [2-5][\s\S]*\r\n\r\n/m.test(text)) resolve();
      });
    });
    await Promise.race([answered, closed]);
    socket.destroy();
    return text;
  }

  /** Sends all that, and waits until the other side hangs up. */
  async untilClosed(...parts: readonly (string | Buffer)[]): Promise<string> {
    const socket = this.connect();
    const closed = received(socket);
    for (const part of parts) socket.write(part);
    return await closed;
  }

  stop(): void {
    this.#ending.abort();
    this.records.close();
  }
}

/** Pages of their own for each case of a file. @returns what a case calls to get them */
export function servedPages(): () => ServedPages {
  let scratch = "";
  let pages: ServedPages | undefined;
  beforeEach(async () => {
    scratch = makeScratch();
    pages = new ServedPages(scratch);
    await pages.serve();
  });
  afterEach(() => {
    pages?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });
  return () => {
    if (pages === undefined) throw new Error("nothing is served");
    return pages;
  };
}
