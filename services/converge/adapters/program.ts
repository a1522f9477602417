import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** One start of another program, without a shell and without input. */
export interface Command {
  /** Its name, looked for on this process's PATH, or an absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment that it gets. */
  readonly env: Readonly<Record<string, string>>;
  /** @default "/" */
  readonly folder?: string;
  /** Then it is ended, and with it whatever it started. */
  readonly seconds: number;
}

/** How a program ended. */
export interface Ending {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 4 MiB of it. */
  readonly stdout: string;
  /** The last 64 KiB of it. */
  readonly stderr: string;
  /** Whether it was ended because its time was over. */
  readonly timedOut: boolean;
}

/** There is no program of that name on PATH. */
export class ProgramMissing extends Error {
  readonly program: string;

  constructor(program: string) {
    super(`no program '${program}' on PATH`);
    this.program = program;
  }
}

export type Run = (command: Command) => Promise<Ending>;

/** Of each output, in bytes: what is read as data is far smaller, what is shown is the end alone. */
const captured = { stdout: 4 * 1024 * 1024, stderr: 64 * 1024 } as const;

/** Between asking a program to end and ending it, in seconds. */
const graceSeconds = 5;

/** How long outputs may stay open after their program has ended, in seconds. */
const drainSeconds = 2;

/**
 * Runs a program in a process group of its own, so that nothing of it is left when its time is over.
 *
 * @throws {ProgramMissing} when there is none of that name
 */
export async function runProgram(command: Command): Promise<Ending> {
  const path = await findProgram(command.program);
  const child = spawn(path, command.args, {
    cwd: command.folder ?? "/",
    env: command.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stdout = new Tail(captured.stdout);
  const stderr = new Tail(captured.stderr);
  child.stdout.on("data", (part: Buffer) => stdout.add(part));
  child.stderr.on("data", (part: Buffer) => stderr.add(part));

  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  const later = (seconds: number, act: () => void) =>
    timers.push(setTimeout(act, seconds * 1000).unref());
  const limit = setTimeout(() => {
    timedOut = true;
    endGroup(child.pid, "SIGTERM");
    later(graceSeconds, () => endGroup(child.pid, "SIGKILL"));
  }, command.seconds * 1000);
  timers.push(limit);

  try {
    const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on("error", reject);
        child.on("exit", () => {
          // What it started in turn may hold its outputs open: that must not hold this process up.
          later(drainSeconds, () => {
            endGroup(child.pid, "SIGKILL");
            child.stdout.destroy();
            child.stderr.destroy();
          });
        });
        child.on("close", (code, name) => resolve([code, name]));
      },
    );
    return { status, signal, stdout: stdout.text(), stderr: stderr.text(), timedOut };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** What a program said last that has words in it, fit to be shown to a person: at most five lines. */
export function lastWords({ stdout, stderr }: Pick<Ending, "stdout" | "stderr">): string {
  const lines = (text: string) =>
    readable(text)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /[\p{L}\p{N}]/u.test(line));
  const said = lines(stderr);
  return (said.length > 0 ? said : lines(stdout)).slice(-5).join("\n");
}

/** Text of another program without colours, control characters and what stands before `@` in a URL. */
export function readable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/(?![\t\n])\p{Cc}/gu, "")
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, "$1");
}

/** How it ended when that was not well, as in "ended with 128". */
export function endedHow({ status, signal, timedOut }: Ending, seconds: number): string {
  if (timedOut) return `did not end within ${seconds} s`;
  return signal === null ? `ended with ${status}` : `was ended by ${signal}`;
}

/** The last bytes of an output. */
class Tail {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= 2 * this.#limit) return;
    this.#parts = [this.#bytes()];
    this.#size = this.#limit;
  }

  text(): string {
    return this.#bytes().toString("utf8");
  }

  #bytes(): Buffer {
    return Buffer.concat(this.#parts).subarray(-this.#limit);
  }
}

/**
 * What is the same as long as a program is: its real path and when its file was last changed.
 *
 * @throws {ProgramMissing} when there is none of that name
 */
export async function identityOf(name: string): Promise<string> {
  const path = await realpath(name.startsWith("/") ? name : await findProgram(name));
  return `${path} ${(await stat(path)).mtimeMs}`;
}

async function findProgram(name: string): Promise<string> {
  const folders = name.startsWith("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  for (const folder of folders.filter((each) => each.startsWith("/") || name.startsWith("/"))) {
    const path = join(folder, name);
    if (await isProgram(path)) return path;
  }
  throw new ProgramMissing(name);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
