import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Health } from "../health.ts";
import type { Metrics } from "../metrics.ts";
import { receive } from "./hook.ts";
import type { NudgeBox } from "./nudge-box.ts";

/** More than any delivery about a comment has; a forge sends some 15 kB. */
const mostBytes = 1024 * 1024;

/** For who sends slowly, in milliseconds: the forge itself waits for 5 s. */
const requestMilliseconds = 10_000;

/** Connections at once; further ones are closed. */
const mostConnections = 512;

export interface PublicOptions {
  readonly health: Health;
  readonly metrics: Metrics;
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
export function publicPages({ health, metrics, hook }: PublicOptions): Hono {
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
      if (nudge !== undefined) await hook.box.add(nudge);
      metrics.delivered(result);
      return context.json({ result }, status);
    });
    pages.all("/hook", (context) => context.json({ result: "post-it" }, 405, { Allow: "POST" }));
  }
  pages.notFound((context) => context.text("There is nothing here.\n", 404));
  return pages;
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
export async function listen(pages: Hono, port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server: ServerType = serve(
      {
        fetch: pages.fetch,
        port,
        createServer,
        serverOptions: {
          headersTimeout: requestMilliseconds,
          requestTimeout: requestMilliseconds,
          connectionsCheckingInterval: 1000,
        },
      },
      (info: AddressInfo) => resolve(info.port),
    );
    server.on("error", reject);
    if ("maxConnections" in server) server.maxConnections = mostConnections;
  });
}
