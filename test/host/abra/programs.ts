import { spawnSync } from "node:child_process";
import { Fatal } from "./fatal.ts";

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  /** The whole environment. @default this program's own */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * By absolute path: a unit whose PATH lacks Docker must not fail because of the stand-in, for a real
 * abra starts neither Docker's client nor git.
 */
export const docker = (args: readonly string[], options?: RunOptions): string =>
  run("/usr/bin/docker", args, options);

export const git = (recipe: string, args: readonly string[]): string =>
  run("/usr/bin/git", ["-C", recipe, "-c", "safe.directory=*", ...args]);

/**
 * Runs a program and returns what it printed; its warnings go on to our standard error.
 *
 * @throws {Fatal} with its last words
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    env: { ...(options.env ?? process.env) },
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  if (error !== undefined) throw new Fatal(`${program}: ${error.message}`);
  if (status !== 0) throw new Fatal(stderr.trim() || `${program} ended with status ${status}`);
  if (stderr !== "") process.stderr.write(stderr.replaceAll(/^(?=.)/gm, "WARN "));
  return stdout;
}

/** The lines of a text, without empty ones. */
export function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
