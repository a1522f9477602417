import { spawn } from "node:child_process";
import { SetupError } from "./error.ts";

export interface CommandOptions {
  /** @default the current folder */
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** One sentence for a person whose command failed: what to do next. */
  readonly remedy: string;
}

/**
 * A network that hangs must not hang CI. Four times what the longest, compiling Traefik, takes on two
 * idle cores with its modules to fetch.
 */
const limitMilliseconds = 40 * 60 * 1000;
const shownLines = 30;

/**
 * Runs a program without input and returns what it printed. Its output is shown only when it fails:
 * a first setup is long enough to read as it is.
 *
 * @throws {SetupError} with the remedy, and the last lines of the output as details
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMilliseconds,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ending = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? "" : `ended with ${signal ?? code}`));
  });
  if (ending === "") return output;
  const tail = output.trimEnd().split("\n").slice(-shownLines).join("\n");
  const command = [program, ...args].join(" ");
  throw new SetupError(`'${command}' ${ending}: ${options.remedy}`, tail);
}
