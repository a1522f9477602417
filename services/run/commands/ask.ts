import { execFile } from "node:child_process";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { defineLines } from "../../lib/line.ts";
import { holdSeconds, placeSeconds, type RunRequest, requestIn, runPlaces } from "../../lib/run.ts";
import { FrameReader } from "../frames.ts";

export const askLines = defineLines({
  "parameters-wrong": {
    as: "refused",
    says: "{problem}: a build gets its parameters from whoever starts it; start a new one with 'npm run trigger'",
  },
  "run-not-allowed": {
    as: "refused",
    says: "this user may not ask for a run ({problem}): the builds of the runner may, and root",
  },
  "run-not-taken": {
    as: "failed",
    says: "the host took no run within {minutes} min ({problem}): 'cc-ci-run list' on the host says what takes its places, 'systemctl status cc-ci-run.socket' whether it listens",
  },
  "run-connection-broken": {
    as: "failed",
    says: "the host ended the connection in the middle of the run ({problem}), and the run with it: 'journalctl -u cc-ci-run@*' on the host has why",
  },
});

/** Between two tries, in seconds. */
const retrySeconds = 2;

/** Between two looks whether whoever started this is still there, in milliseconds. */
const parentMilliseconds = 500;

interface AskOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @default that of the host */
  readonly socket?: string;
  /** @default `placeSeconds` */
  readonly waitSeconds?: number;
  /** For how long, beside that, it waits while the host lets no run begin. @default `holdSeconds` */
  readonly heldSeconds?: number;
  /** How many connections found no place so far; undefined when nobody can say. @default as systemd counts */
  readonly countTurnedAway?: () => Promise<number | undefined>;
  /** Where what comes back goes. */
  readonly print: (text: string) => void;
}

/**
 * `cc-ci-run ask`: what the step of a build runs. Asks for the run that the build's parameters describe, and
 * prints what comes back. Whatever ends this process calls the run off.
 *
 * @returns the exit status: 0 when the run passed, else 1
 * @throws {Stop} when there is no run
 */
export async function askCommand({
  environment,
  socket = runPlaces.socket,
  waitSeconds = placeSeconds,
  heldSeconds = holdSeconds,
  countTurnedAway = turnedAway,
  print,
}: AskOptions): Promise<0 | 1> {
  const request = requestOf(environment);
  // A host that holds runs back for a while has not failed to give this one a place.
  const limits = { place: waitSeconds, release: heldSeconds };
  const waited = { place: 0, release: 0 };
  let since = performance.now();
  let told = "";
  for (;;) {
    const answer = await attempt(socket, request, countTurnedAway, print);
    if ("passed" in answer) return answer.passed ? 0 : 1;
    const { waitsFor, why } = answer;
    const now = performance.now();
    waited[waitsFor] += (now - since) / 1000;
    since = now;
    if (waited[waitsFor] > limits[waitsFor]) {
      const minutes = Math.round(limits[waitsFor] / 60);
      throw askLines.stop("run-not-taken", { minutes, problem: why });
    }
    if (why !== told) print(`waits for a place: ${why}\n`);
    told = why;
    await sleep(retrySeconds * 1000);
  }
}

/** Ends this process with the one that started it: Drone kills the shell of a step, and not what it runs. */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, parentMilliseconds).unref();
}

function requestOf(environment: AskOptions["environment"]): RunRequest {
  try {
    return requestIn(environment);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw askLines.stop("parameters-wrong", { problem });
  }
}

/** Why there was no run yet: there is no place for it, or the host lets none begin. */
interface Wait {
  readonly waitsFor: "place" | "release";
  readonly why: string;
}

/** One connection: what the run came to, or why there was none. */
async function attempt(
  path: string,
  request: RunRequest,
  countTurnedAway: () => Promise<number | undefined>,
  print: (text: string) => void,
): Promise<{ readonly passed: boolean } | Wait> {
  const before = await countTurnedAway();
  const reader = new FrameReader();
  const socket = createConnection(path);
  let isTaken = false;
  let passed: boolean | undefined;
  let later: string | undefined;
  let problem = "it was closed";
  socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    problem = error.code ?? error.message;
  });
  socket.on("data", (bytes) => {
    try {
      for (const frame of reader.push(Buffer.from(bytes))) {
        isTaken = true;
        if (frame.kind === "output") print(frame.text);
        if (frame.kind === "later") {
          later = frame.text;
          socket.destroy();
        }
        if (frame.kind === "end") {
          print(`${frame.text}\n`);
          passed = frame.passed;
          socket.destroy();
        }
      }
    } catch (error) {
      problem = `it said ${error instanceof Error ? error.message : String(error)}`;
      isTaken = true;
      socket.destroy();
    }
  });
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  if (passed !== undefined) return { passed };
  if (later !== undefined) return { waitsFor: "release", why: later };
  if (isTaken) throw askLines.stop("run-connection-broken", { problem });
  if (problem === "EACCES" || problem === "EPERM") {
    throw askLines.stop("run-not-allowed", { problem });
  }
  const place = (why: string): Wait => ({ waitsFor: "place", why });
  if (problem === "ENOENT" || problem === "ECONNREFUSED") return place(`nobody listens at ${path}`);
  // Both look alike from here: a connection that ends without a word.
  const after = await countTurnedAway();
  if (before === undefined || after === undefined) {
    return place("all places of the host are taken, or its service of runs does not start");
  }
  return place(
    after > before
      ? "all places of the host are taken"
      : "the host has a place, and its service of runs does not start: 'journalctl -u cc-ci-run@*' there has why",
  );
}

/** Not by PATH, which is a parameter of the build like any other. */
const systemctl = "/run/current-system/sw/bin/systemctl";

/** As systemd counts connections that are beyond `MaxConnections` of the socket; anybody may ask it. */
async function turnedAway(): Promise<number | undefined> {
  const asked = ["show", "--value", "--property=NRefused", "--", "cc-ci-run.socket"];
  try {
    // Without parameters of the build.
    const { stdout } = await promisify(execFile)(systemctl, asked, { env: {}, timeout: 10_000 });
    return countIn(stdout);
  } catch {
    return undefined;
  }
}

/** The number that systemd printed; undefined for anything else. */
export function countIn(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}
