import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type Environment, isTrue, listOf, mapOf, variablesIn } from "../environment.ts";

export interface Settings {
  /** Of the server, without a slash at its end. */
  readonly server: string;
  readonly secret: string;
  readonly name: string;
  readonly capacity: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What every step gets from the runner, and a parameter of the build may replace. */
  readonly environ: Readonly<Record<string, string>>;
  /** Workspaces are made below it. */
  readonly root: string;
  readonly listen: { readonly address: string | undefined; readonly port: number };
  readonly limits: {
    readonly repositories: readonly string[];
    readonly events: readonly string[];
    readonly trusted: boolean;
  };
}

/** @throws {Error} when it cannot start with them */
export function settingsIn(environment: Environment): Settings {
  const get = (name: string, otherwise = ""): string => environment[`DRONE_${name}`] || otherwise;
  for (const name of ["DRONE_RPC_HOST", "DRONE_RPC_SECRET"]) {
    if (!(name in environment)) throw new Error(`required key ${name} missing value`);
  }
  const file = get("RUNNER_ENVFILE");
  const path = get("RUNNER_PATH");
  const bind = get("HTTP_BIND", ":3000");
  const colon = bind.lastIndexOf(":");
  return {
    server: `${get("RPC_PROTO", "http")}://${get("RPC_HOST")}`,
    secret: get("RPC_SECRET"),
    name: get("RUNNER_NAME", hostname()),
    capacity: Number(get("RUNNER_CAPACITY", "2")),
    labels: mapOf(get("RUNNER_LABELS")),
    environ: {
      ...mapOf(get("RUNNER_ENVIRON")),
      ...(file === "" ? {} : variablesIn(readFileSync(file, "utf8"))),
      ...(path === "" ? {} : { PATH: path }),
    },
    root: get("RUNNER_ROOT", "/tmp"),
    listen: {
      address: colon > 0 ? bind.slice(0, colon) : undefined,
      port: Number(bind.slice(colon + 1)),
    },
    limits: {
      repositories: listOf(get("LIMIT_REPOS")),
      events: listOf(get("LIMIT_EVENTS")),
      trusted: isTrue(get("LIMIT_TRUSTED")),
    },
  };
}
