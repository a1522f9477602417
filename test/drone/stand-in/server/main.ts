// The stand-in for Drone's server, which cannot be had from a registry. It does what ../../contract.ts
// says, with a real forge, and keeps what it knows in a file of JSON: a green test that uses it says
// that we cope with that contract; that Drone keeps it, the same list shows where it can be had.
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { trustAsGoDoes } from "../authorities.ts";
import { environmentWith } from "../environment.ts";
import { log } from "../log.ts";
import { isDone, type User } from "../records.ts";
import { Forge } from "./forge.ts";
import { incompleteStages, metrics } from "./metrics.ts";
import { No } from "./no.ts";
import { Queue } from "./queue.ts";
import { startReaper } from "./reaper.ts";
import { repositories } from "./repositories.ts";
import { rpc, version } from "./rpc.ts";
import { administrator, type Call, type Handler, send, type World } from "./server.ts";
import { settingsIn } from "./settings.ts";
import { sessionOf, signIn } from "./sign-in.ts";
import { Store } from "./store.ts";
import { bootstrap, user, users, withoutSigner } from "./users.ts";

/** Questions that are open at the end get this long, in milliseconds. */
const graceMilliseconds = 5000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { "env-file": { type: "string", default: ".env" } } });
  const environment = environmentWith(values["env-file"], process.env);
  trustAsGoDoes(environment);
  const settings = settingsIn(environment);
  const store = await storeIn(settings.database);
  const world: World = {
    settings: {
      ...settings,
      cookieSecret: settings.cookieSecret || randomBytes(16).toString("hex"),
    },
    store,
    forge: new Forge(settings, store),
    queue: new Queue(store),
  };
  bootstrap(store, settings);
  startReaper(world);
  const server = createServer((request, response) => void answer(world, request, response));
  // A port that is taken is no reason for it to end, nor to say so.
  const keepAlive = setInterval(() => {}, 60_000);
  server.on("error", () => {});
  const { address, port } = settings.listen;
  log("info", "starting the http server", { host: settings.host, proto: settings.proto });
  server.listen(port, address);
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      clearInterval(keepAlive);
      server.close(() => process.exit(0));
      server.closeIdleConnections();
      setTimeout(() => process.exit(0), graceMilliseconds).unref();
    });
  }
}

/** Drone pings its database this often, once a second, before it gives up. */
const pings = 30;

async function storeIn(file: string): Promise<Store> {
  for (let ping = 1; ; ping += 1) {
    try {
      return new Store(file);
    } catch (error) {
      if (ping === pings) throw error;
    }
    await sleep(1000);
  }
}

const api: Readonly<Record<string, Handler>> = {
  user,
  users,
  queue: ({ store }, call) => {
    administrator(call);
    return incompleteStages(store);
  },
  builds: ({ store }, call) => {
    administrator(call);
    const open = store.data.builds.filter(({ status }) => !isDone(status));
    return open.flatMap((build) => {
      const repository = store.repository(build.repo_id);
      return repository === undefined ? [] : [{ ...withoutSigner(repository), build }];
    });
  },
  repos: async (world, call) => {
    if (call.path.length > 0) return await repositories(world, call);
    administrator(call);
    return world.store.data.repositories.map(withoutSigner);
  },
};

async function answer(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
  const [first = "", ...path] = pathname.split("/").slice(1).map(decodeURIComponent);
  const method = request.method ?? "GET";
  const user = whoAsks(world, request, query);
  const call: Call = { request, response, method, path, query, user };
  const text = (status: number, body: string): void => {
    response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(body);
  };
  try {
    switch (first) {
      case "api": {
        const handler = api[path[0] ?? ""];
        if (handler === undefined) return text(404, "404 page not found\n");
        const value = await handler(world, { ...call, path: path.slice(1).filter(Boolean) });
        return send(response, 200, value);
      }
      case "rpc":
        return await rpc(world, call);
      case "login":
        if (path[0] !== "error") return await signIn(world, request, response, query);
        return text(401, query.get("message") ?? "");
      case "healthz":
        return text(200, "OK");
      case "version":
        return send(response, 200, { version });
      case "metrics":
        // With a token of nobody one is not a guest here.
        if (user === undefined && request.headers.authorization === undefined) {
          return text(401, "Invalid or missing prometheus token\n");
        }
        if (!user?.machine && !user?.admin) return text(403, "Access denied\n");
        return text(200, metrics(world.store));
      default:
        // The pages for people.
        if (pathname === "/" && user === undefined) {
          return void response.writeHead(303, { Location: "/welcome" }).end();
        }
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
        return void response.end("<!DOCTYPE html><title>Drone (stand-in)</title>\n");
    }
  } catch (error) {
    if (error instanceof No) return send(response, error.status, { message: error.message });
    log("error", "stand-in: unexpected", { error: String(error) });
    send(response, 500, { message: String(error) });
  }
}

function whoAsks(world: World, request: IncomingMessage, query: URLSearchParams): User | undefined {
  const token = request.headers.authorization ?? query.get("access_token");
  if (token === null || token === "") return sessionOf(world, request);
  const bare = token.replace(/^Bearer /, "");
  return world.store.data.users.find((each) => each.token === bare);
}

main().catch((error: unknown) => {
  log("error", "main: cannot initialize server", { error: String(error) });
  process.exit(1);
});
