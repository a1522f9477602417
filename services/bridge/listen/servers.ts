import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Nudge } from "../records/cursors.ts";
import type { Health } from "../telemetry/health.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { receive } from "./hook.ts";
import type { NudgeBox } from "./nudge-box.ts";

/** More than any delivery about a comment has; a forge sends some 15 kB. */
const mostBytes = 1024 * 1024;

export interface ListenOptions {
  /** For who sends slowly, in milliseconds: the forge itself waits for 5 s. @default 10000 */
  readonly requestMilliseconds?: number;
  /**
   * Connections at once; further ones are closed. Each may hold a body, of which there are three copies for a moment,
   * and the whole program has 256 MiB. @default 32
   */
  readonly mostConnections?: number;
  /** Ends it, and all its connections. @default never */
  readonly signal?: AbortSignal;
}

export interface PublicOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Pick<Log, "error">;
  /** What hooks are taken by; undefined where nobody may deliver any. */
  readonly hook:
    | {
        readonly keys: readonly string[];
        readonly recipes: readonly string[];
        readonly box: NudgeBox;
      }
    | undefined;
}

/** What the proxy may lead to. */
export function publicPages({ health, metrics, log, hook }: PublicOptions): Hono {
  const pages = new Hono();
  pages.get("/", (context) => context.text("The bridge of a CI for Co-op Cloud recipes.\n"));
  pages.get("/healthz", (context) => {
    const { problems } = health.now();
    return context.json({ ok: problems.length === 0, problems }, problems.length === 0 ? 200 : 503);
  });
  if (hook !== undefined) {
    const limit = bodyLimit({
      maxSize: mostBytes,
      onError: (context) => {
        metrics.delivered("too-large");
        return context.json({ result: "too-large" }, 413);
      },
    });
    pages.post("/hook", limit, async (context) => {
      const body = new Uint8Array(await context.req.arrayBuffer());
      const header = (name: string) => context.req.header(name);
      const { status, result, nudge } = receive({ header, body }, hook.keys, hook.recipes);
      if (nudge !== undefined && !(await isNoted(hook.box, nudge))) {
        metrics.delivered("not-noted");
        return context.json({ result: "not-noted" }, 503);
      }
      metrics.delivered(result);
      return context.json({ result }, status);
    });
    pages.all("/hook", (context) => context.json({ result: "post-it" }, 405, { Allow: "POST" }));
  }
  pages.notFound((context) => context.text("There is nothing here.\n", 404));
  pages.onError((error, context) => {
    // Anybody may go away in the middle of a body: that is nothing to be told of.
    const isCutShort = "code" in error && error.code === "ECONNRESET";
    if (!isCutShort) log.error({ error: error.stack }, "cannot answer a request");
    const result = isCutShort ? "cut-short" : "broken";
    metrics.delivered(result);
    return context.json({ result }, isCutShort ? 400 : 500);
  });
  return pages;
}

/** The trouble itself the lanes meet as well, and say. */
async function isNoted(box: NudgeBox, nudge: Nudge): Promise<boolean> {
  try {
    await box.add(nudge);
    return true;
  } catch {
    return false;
  }
}

/** What stays inside. */
export function metricsPages({ metrics, health }: Pick<PublicOptions, "metrics" | "health">): Hono {
  const pages = new Hono();
  pages.get("/metrics", async (context) => {
    const { registry } = metrics;
    return context.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
  });
  pages.get("/healthz", (context) => context.json(health.now()));
  return pages;
}

/** @returns the port that it listens on */
export async function listen(
  pages: Hono,
  port: number,
  { requestMilliseconds = 10_000, mostConnections = 32, signal }: ListenOptions = {},
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server: ServerType = serve(
      {
        fetch: pages.fetch,
        port,
        createServer,
        serverOptions: {
          headersTimeout: requestMilliseconds,
          requestTimeout: requestMilliseconds,
          connectionsCheckingInterval: Math.min(1000, requestMilliseconds),
        },
      },
      (info: AddressInfo) => resolve(info.port),
    );
    server.on("error", reject);
    server.maxConnections = mostConnections;
    signal?.addEventListener("abort", () => {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    });
  });
}
