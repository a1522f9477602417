import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { SetupError } from "../../setup/error.ts";
import { findProgram } from "../../setup/programs.ts";

/**
 * Puts a program of this machine at `/usr/bin/<name>`, and each library where its loader looks for it.
 *
 * @param path of the program. @default where PATH has one of that name
 */
export function copyProgram(folder: string, name: string, path = programPath(name)): void {
  for (const [from, to] of [
    [path, `/usr/bin/${name}`],
    ...libraries(path).map((one) => [one, one]),
  ]) {
    const target = join(folder, to ?? "");
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(from ?? ""), target);
  }
}

/** The bytes of the program and of each library: all that decides what the copy is. */
export function programContents(name: string): readonly Buffer[] {
  const path = findProgram(name);
  // Not installed yet: setup asks what is built already before it installs anything.
  if (path === undefined) return [];
  return [path, ...libraries(path)].map((one) => readFileSync(one));
}

/** Names of the commands in a program that is many, as busybox lists them. */
export function commandsOf(name: string): readonly string[] {
  const { stdout } = spawnSync(programPath(name), ["--list"], { encoding: "utf8" });
  return stdout.split("\n").filter((command) => command !== "" && command !== name);
}

function programPath(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new SetupError(`no ${name} here: run 'npm run setup'`);
  return path;
}

/** Absolute paths of what the dynamic loader loads; empty for a static program. */
function libraries(path: string): readonly string[] {
  const { stdout, error } = spawnSync("ldd", [path], { encoding: "utf8" });
  if (error !== undefined)
    throw new SetupError(`ldd does not start (${error.message}): install it`);
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, library = ""]) => library);
}
