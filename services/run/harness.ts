import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a run does, as a program of its own: `<harness> run <folder>` tests what the folder's request.json
 * asks for, prints what people should see, and writes results.json as its very last step, once nothing of it
 * is left; SIGTERM ends it in order. `<harness> tear-down <folder>` takes away whatever such a run has left,
 * however it ended, and may be killed and asked again.
 */
export interface HarnessRun {
  readonly harness: string;
  readonly verb: "run" | "tear-down";
  /** Of the run. */
  readonly folder: string;
  /** Its own folder for what goes with the run; made when it is not there. */
  readonly home: string;
}

/** What a program came to: as in "ended with status 3" or "was killed by SIGKILL". */
export interface HarnessEnd {
  readonly hasSucceeded: boolean;
  readonly how: string;
}

/** Between asking the harness to end and ending it, in seconds. */
const graceSeconds = 20;

/** How long outputs may stay open after it has ended: what it started may hold them. In seconds. */
const drainSeconds = 2;

type Hear = (from: "stdout" | "stderr", text: string) => Promise<void>;

/**
 * Runs the harness in a process group of its own.
 *
 * @param hear what it prints; it waits for what this returns
 * @param calledOff asks it to end, and ends it when it does not
 */
export async function runHarness(
  { harness, verb, folder, home }: HarnessRun,
  hear: Hear,
  calledOff: AbortSignal,
): Promise<HarnessEnd> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { PATH = "", LANG = "C.UTF-8" } = process.env;
  const child = spawn(harness, [verb, folder], {
    cwd: "/",
    env: { PATH, LANG, HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const outputs = [
    listen(child.stdout, (text) => hear("stdout", text)),
    listen(child.stderr, (text) => hear("stderr", text)),
  ];
  let killer: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child, "SIGTERM");
    killer = setTimeout(() => signalGroup(child, "SIGKILL"), graceSeconds * 1000);
  };
  if (calledOff.aborted) end();
  else calledOff.addEventListener("abort", end, { once: true });
  try {
    const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on("error", reject);
        child.on("exit", (code, name) => resolve([code, name]));
      },
    );
    await Promise.race([Promise.all(outputs), sleep(drainSeconds * 1000)]);
    const how = signal === null ? `ended with status ${status}` : `was killed by ${signal}`;
    return { hasSucceeded: status === 0, how };
  } catch (error) {
    return { hasSucceeded: false, how: `did not start (${String(error)})` };
  } finally {
    clearTimeout(killer);
    calledOff.removeEventListener("abort", end);
    // Of its group; what left that is ended with the service.
    signalGroup(child, "SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Hears text; half a character waits for its other half. */
async function listen(stream: Readable, hear: (text: string) => Promise<void>): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of stream) {
      const text = decoder.decode(bytes as Buffer, { stream: true });
      if (text !== "") await hear(text);
    }
  } catch {
    // It was closed under us, with its program.
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing of it is left.
  }
}

/** How long a teardown may take, in seconds; the unit's TimeoutStopSec is above it. */
const tearDownSeconds = 180;

/** Lets the harness take away what a run left; undefined when it did, else how it ended. */
export async function tearDown(
  harness: string,
  folder: string,
  home: string,
  say: (text: string) => void,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(tearDownSeconds * 1000);
  const hear: Hear = async (_, text) => say(text.trimEnd());
  const end = await runHarness({ harness, verb: "tear-down", folder, home }, hear, limit);
  if (end.hasSucceeded) return undefined;
  return limit.aborted ? `did not end within ${tearDownSeconds} s` : end.how;
}
