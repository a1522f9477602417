import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { Fatal } from "./fatal.ts";
import { run } from "./programs.ts";
import type { Settings } from "./settings.ts";

/** Characters of a stack's name that are left of a longer one. */
const longestStackName = 45;

/** An app: what its `.env` says. */
export interface App {
  readonly domain: string;
  readonly envFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly recipe: string;
  /** The folder of the recipe's clone, shared by all apps of one state folder. */
  readonly checkout: string;
  readonly stack: string;
}

/** @throws {Fatal} when no server's folder holds the app, or its `.env` names no recipe */
export function findApp(domain: string, settings: Settings): App {
  const folder = stateFolder(settings);
  const servers = join(folder, "servers");
  const envFile = (existsSync(servers) ? readdirSync(servers).sort() : [])
    .map((server) => join(servers, server, `${domain}.env`))
    .find((path) => existsSync(path));
  if (envFile === undefined) throw new Fatal(`cannot find app with name ${domain}`);
  const env = readEnv(readFileSync(envFile, "utf8"));
  const [recipe = ""] = (env.TYPE ?? env.RECIPE ?? "").split(":");
  if (recipe === "") throw new Fatal(`${domain} is missing the TYPE env var?`);
  const checkout = join(folder, "recipes", recipe);
  return { domain, envFile, env, recipe, checkout, stack: stackName(domain, env, settings) };
}

function stateFolder(settings: Settings): string {
  const { ABRA_DIR, HOME } = process.env;
  if (settings.honoursStateFolder && ABRA_DIR) return ABRA_DIR;
  if (!HOME) throw new Fatal("$HOME is not defined");
  return join(HOME, ".abra");
}

function stackName(
  domain: string,
  env: Readonly<Record<string, string>>,
  settings: Settings,
): string {
  if (settings.takesStackNameFromEnv && env.STACK_NAME) return env.STACK_NAME;
  const whole = domain.replaceAll(".", "_");
  return settings.cutsStackNames ? whole.slice(0, longestStackName) : whole;
}

/** Reads an `.env` as the library does that abra's own parser comes from. */
function readEnv(text: string): Readonly<Record<string, string>> {
  const parsed = run(join(import.meta.dirname, "dotenv"), [], { input: text });
  return z.record(z.string(), z.string()).parse(JSON.parse(parsed));
}

/** Puts the version into the TYPE line, in place and not at once, as abra does. */
export function writeVersion(app: App, version: string, settings: Settings): void {
  const text = readFileSync(app.envFile, "utf8");
  writeFileSync(app.envFile, withVersion(text, `${app.recipe}:${version}`, settings));
}

/** The text of an `.env` after abra has written a version into it. */
function withVersion(text: string, type: string, settings: Settings): string {
  const changed = text.replace(
    /^(TYPE|RECIPE)=.*$/m,
    (_, variable: string) => `${variable}=${type}`,
  );
  if (settings.keepsOtherLines) return changed;
  const kept = changed.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return `${kept.sort().join("\n")}\n`;
}
