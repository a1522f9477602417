import { type Environment, isTrue, mapOf, secondsOf } from "../environment.ts";

export interface Settings {
  /** Without a slash at its end. */
  readonly forge: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly proto: string;
  /** Of the server's own address, with its port if it has one. */
  readonly host: string;
  readonly listen: { readonly address: string | undefined; readonly port: number };
  readonly rpcSecret: string;
  readonly cookieSecret: string;
  readonly database: string;
  /** By which it keeps its accounts; empty where it keeps them as they are. */
  readonly databaseKey: string;
  /** The account that is there from the start, if any. */
  readonly first: {
    readonly login: string;
    readonly machine: boolean;
    readonly admin: boolean;
    readonly token: string;
  };
  readonly isClosed: boolean;
  readonly isDebug: boolean;
  readonly git: { readonly login: string; readonly password: string; readonly always: boolean };
  /** All in seconds. */
  readonly cleanup: {
    readonly isOff: boolean;
    readonly interval: number;
    readonly running: number;
    readonly pending: number;
    readonly buffer: number;
  };
  /** The pause after each of three looks for a configuration, in seconds. */
  readonly configPause: number;
}

/** @throws {Error} when it cannot start with them */
export function settingsIn(environment: Environment): Settings {
  const get = (name: string, otherwise = ""): string => environment[`DRONE_${name}`] || otherwise;
  const forge = get("GITEA_SERVER").replace(/\/+$/, "");
  if (forge === "") throw new Error("No source code management provider");
  const key = get("DATABASE_SECRET");
  if (key !== "" && Buffer.byteLength(key) !== 32) {
    throw new Error("encryption key must be 32 bytes");
  }
  const first = mapOf(get("USER_CREATE"));
  return {
    forge,
    clientId: get("GITEA_CLIENT_ID"),
    clientSecret: get("GITEA_CLIENT_SECRET"),
    proto: get("SERVER_PROTO", "http"),
    host: get("SERVER_HOST", "localhost:8080"),
    listen: listenOn(get("SERVER_PORT", ":8080")),
    rpcSecret: get("RPC_SECRET"),
    // Without one it is another at each start, and logins are lost.
    cookieSecret: get("COOKIE_SECRET"),
    database: get("DATABASE_DATASOURCE", "core.sqlite"),
    databaseKey: isTrue(get("DATABASE_ENCRYPT_USER_TABLE")) ? key : "",
    first: {
      login: first.username ?? "",
      machine: isTrue(first.machine),
      admin: isTrue(first.admin),
      token: first.token ?? "",
    },
    isClosed: isTrue(get("REGISTRATION_CLOSED")),
    isDebug: isTrue(get("LOGS_DEBUG")),
    git: {
      login: get("GIT_USERNAME"),
      password: get("GIT_PASSWORD"),
      always: isTrue(get("GIT_ALWAYS_AUTH")),
    },
    cleanup: {
      isOff: isTrue(get("CLEANUP_DISABLED")),
      interval: secondsOf(get("CLEANUP_INTERVAL", "24h")),
      running: secondsOf(get("CLEANUP_DEADLINE_RUNNING", "24h")),
      pending: secondsOf(get("CLEANUP_DEADLINE_PENDING", "24h")),
      buffer: secondsOf(get("CLEANUP_BUFFER", "30m")),
    },
    // No variable of Drone's: for tests that do not look at this time.
    configPause: Number(environment.STAND_IN_CONFIG_PAUSE ?? 15),
  };
}

/** `:8080`, `127.0.0.1:8080`. */
function listenOn(text: string): Settings["listen"] {
  const colon = text.lastIndexOf(":");
  const address = text.slice(0, Math.max(colon, 0));
  return { address: address === "" ? undefined : address, port: Number(text.slice(colon + 1)) };
}
