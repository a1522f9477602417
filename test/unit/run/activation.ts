import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parametersOf, type RunRequest, runResultsSchema } from "../../../services/lib/run.ts";
import { bundleOf } from "../../host/bundle.ts";

const main = join(import.meta.dirname, "../../../services/run/main.ts");

/** What a service of a run came to. */
interface ServiceEnd {
  readonly status: number | null;
  /** What its processes said to the journal. */
  readonly journal: string;
}

export interface ActivationOptions {
  /** A shell script: `$1` is the verb, `$2` the folder of the run. */
  readonly harness: string;
  /** As CC_CI_STOP_AT has it; the service is killed there. @default nowhere */
  readonly killAt?: string;
}

/**
 * What systemd does with the socket and its services, as far as it can be done without it: a connection each
 * starts `serve` with the connection as its standard input, and then `end`. It has no control groups, no
 * limits and no users.
 */
export class Activation implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cc-ci-run-"));
  readonly socket = join(this.folder, "socket");
  readonly runs = join(this.folder, "runs");
  readonly living = join(this.folder, "living");
  readonly holds = `${this.living}-holds`;
  readonly ends: Promise<ServiceEnd>[] = [];
  readonly #server: Server;
  readonly #harness = join(this.folder, "harness");
  readonly #program = join(this.folder, "run.cjs");
  #killAt: string | undefined;

  private constructor({ harness, killAt }: ActivationOptions) {
    this.#killAt = killAt;
    writeFileSync(this.#harness, `#!/bin/sh\n${harness}\n`, { mode: 0o755 });
    writeFileSync(this.#program, bundleOf(main));
    mkdirSync(this.runs);
    // The connection is the service's alone: nobody else may read from it.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      this.ends.push(this.#serve(socket));
    });
  }

  static async start(options: ActivationOptions): Promise<Activation> {
    const activation = new Activation(options);
    await new Promise<void>((resolve) => activation.#server.listen(activation.socket, resolve));
    return activation;
  }

  /** Where services may be killed from now on. */
  killAt(place: string | undefined): void {
    this.#killAt = place;
  }

  async #serve(socket: Socket): Promise<ServiceEnd> {
    const runtime = join(this.living, randomBytes(4).toString("hex"));
    mkdirSync(runtime, { recursive: true });
    const variables = {
      PATH: process.env.PATH ?? "",
      RUNTIME_DIRECTORY: runtime,
      STATE_DIRECTORY: this.runs,
      INVOCATION_ID: randomBytes(16).toString("hex"),
      ...(this.#killAt === undefined ? {} : { CC_CI_STOP_AT: this.#killAt }),
    };
    const serve = spawn(process.execPath, [this.#program, "serve", this.#harness], {
      env: variables,
      stdio: [socket, "ignore", "pipe"],
    });
    const served = await ended(serve);
    socket.destroy();
    const { CC_CI_STOP_AT: _, ...rest } = variables;
    const how =
      served.status === null
        ? { SERVICE_RESULT: "signal", EXIT_CODE: "killed", EXIT_STATUS: "KILL" }
        : { SERVICE_RESULT: "success", EXIT_CODE: "exited", EXIT_STATUS: String(served.status) };
    const env = { ...(variables.CC_CI_STOP_AT?.startsWith("end") ? variables : rest), ...how };
    const end = await ended(
      spawn(process.execPath, [this.#program, "end", this.#harness], {
        env,
        stdio: ["ignore", "ignore", "pipe"],
      }),
    );
    rmSync(runtime, { recursive: true });
    return { status: served.status, journal: served.journal + end.journal };
  }

  /** What the last service came to, once there is one and all have ended: one before it may be at its end still. */
  async lastEnd(): Promise<ServiceEnd> {
    while (this.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    return (await Promise.all(this.ends)).at(-1) ?? { status: null, journal: "" };
  }

  /** `results.json` of a run; undefined when there is none. */
  resultsOf(id: string) {
    const path = join(this.runs, id, "results.json");
    if (!existsSync(path)) return undefined;
    return runResultsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  }

  read(id: string, file: string): string {
    return readFileSync(join(this.runs, id, file), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await Promise.all(this.ends);
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits for a process; one that stops by itself, as a test told it to, is killed. */
async function ended(child: ChildProcess): Promise<ServiceEnd> {
  let journal = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    journal += text;
  });
  const watch = setInterval(() => {
    if (isStopped(child.pid)) child.kill("SIGKILL");
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(watch);
  return { status, journal };
}

function isStopped(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  } catch {
    return false;
  }
}

/** A request for a run of the recipe `wiki`, by the first digit of its id. */
export function requestFor(digit: string): RunRequest {
  return {
    ...{ id: digit.repeat(16), recipe: "wiki", repository: "recipes/wiki", pull: 7, quick: false },
    commit: "0123456789abcdef0123456789abcdef01234567",
  };
}

/** What a build of that request finds in its environment. */
export function environmentFor(digit: string): Readonly<Record<string, string>> {
  return parametersOf(requestFor(digit));
}

/** Words of a harness: it leaves results of that outcome. */
export function leaves(outcome: "passed" | "failed"): string {
  const time = "2026-01-01T00:00:00.000Z";
  const reason = outcome === "passed" ? "null" : '"a stage failed"';
  return `[ "$1" = tear-down ] && { echo gone >>"$2/artefacts/torn-down"; exit 0; }
printf '{"version":1,"request":%s,"outcome":"${outcome}","reason":${reason},"startedAt":"${time}","endedAt":"${time}","stages":[]}' "$(cat "$2/request.json")" >"$2/results.json"`;
}

/** Words of a harness: its teardown leaves a mark, and ends it there. */
export const tearsDown =
  '[ "$1" = tear-down ] && { echo gone >>"$2/artefacts/torn-down"; exit 0; }';
