import type { IncomingMessage, ServerResponse } from "node:http";
import type { User } from "../records.ts";
import type { Forge } from "./forge.ts";
import { forbidden, No, unauthorized } from "./no.ts";
import type { Queue } from "./queue.ts";
import type { Settings } from "./settings.ts";
import type { Store } from "./store.ts";

/** What every call can reach. */
export interface World {
  readonly settings: Settings;
  readonly store: Store;
  readonly forge: Forge;
  readonly queue: Queue;
}

/** One request, with whoever asks. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** The path without its first part, in parts: `["ci", "cc-ci", "builds"]` of `/api/repos/…`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Undefined for a guest, which is whoever brings a token that is nobody's. */
  readonly user: User | undefined;
}

/** @returns the JSON to answer with, with status 200 */
export type Handler = (world: World, call: Call) => unknown | Promise<unknown>;

export async function bodyOf({ request }: Pick<Call, "request">): Promise<unknown> {
  let text = "";
  for await (const part of request) text += String(part);
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw new No(400, "invalid character in JSON");
  }
}

export function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(value)}\n`);
}

/** @throws {No} for a guest */
export function someone({ user }: Call): User {
  if (user === undefined) throw unauthorized;
  return user;
}

/** @throws {No} for whoever is no administrator of this Drone */
export function administrator(call: Call): User {
  const user = someone(call);
  if (!user.admin) throw forbidden;
  return user;
}
