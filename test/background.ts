import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { kill } from "./host/machine/processes.ts";

/** What a program gets that would go on for ever with what it does. */
const stopSeconds = 30;

export interface BackgroundOptions {
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** @default "/" */
  readonly cwd?: string;
}

/** A program that runs beside the tests, and never longer than the process that started it. */
export class Background {
  readonly pid: number;
  readonly #child: ChildProcess;
  #printed = "";
  #ended: { readonly status: number | null } | undefined;

  constructor([program = "", ...args]: readonly string[], options: BackgroundOptions) {
    // Its parent may be killed: the kernel ends it then.
    const bound = ["--pdeathsig", "KILL", "--", program, ...args];
    this.#child = spawn("setpriv", bound, {
      cwd: options.cwd ?? "/",
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // What a test sends to its own group, as Ctrl-C does, is no concern of it.
      detached: true,
    });
    if (this.#child.pid === undefined) throw new Error(`${program} does not start: no setpriv?`);
    this.pid = this.#child.pid;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed += text;
      });
    }
    this.#child.on("exit", (status) => {
      this.#ended = { status };
    });
  }

  /** All that it has printed so far, on both of its outputs. */
  get printed(): string {
    return this.#printed;
  }

  get isRunning(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Asks it to end, and waits.
   *
   * @returns its exit status, null when a signal ended it: after half a minute it is killed
   */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.isRunning) kill(this.pid, signal);
    const end = performance.now() + stopSeconds * 1000;
    while (this.#ended === undefined) {
      if (performance.now() > end) kill(this.pid);
      await sleep(20);
    }
    return this.#ended.status;
  }
}
