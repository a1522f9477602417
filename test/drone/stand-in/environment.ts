import { readFileSync } from "node:fs";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment with what a file adds to it: what is there already wins, and a file that cannot be
 * read adds nothing. Anything that can be read to its end will do, a pipe too.
 */
export function environmentWith(file: string, environment: Environment): Environment {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return environment;
  }
  return { ...variablesIn(text), ...environment };
}

/** Lines of `NAME=value`, as godotenv reads them, but for a `$` in a value, which is left alone. */
export function variablesIn(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, name, value = ""] = /^\s*(?:export\s+)?([\w.]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    // One line that is none, and the whole file counts for nothing.
    if (name === undefined) return {};
    const quoted = /^(["'])(.*)\1$/.exec(value);
    const plain = value.replace(/(?:^|\s)#.*$/, "").trimEnd();
    found[name] = quoted?.[2] ?? plain;
  }
  return found;
}

/** Of a duration as Go writes it, such as `1m30s`. @throws {Error} for what is none */
export function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/([\d.]+)(ms|h|m|s)/g)];
  if (parts.map(([part]) => part).join("") !== duration || duration === "") {
    throw new Error(`invalid duration ${JSON.stringify(duration)}`);
  }
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  return parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? 0), 0);
}

/** `K:V,L:W`, as the programs take maps. */
export function mapOf(text: string | undefined): Readonly<Record<string, string>> {
  const pairs = listOf(text).map((pair) => [
    pair.slice(0, pair.indexOf(":")),
    pair.slice(pair.indexOf(":") + 1),
  ]);
  return Object.fromEntries(pairs);
}

export function listOf(text: string | undefined): readonly string[] {
  return text === undefined || text === "" ? [] : text.split(",");
}

export function isTrue(text: string | undefined): boolean {
  return /^(?:1|t|true)$/i.test(text ?? "");
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
