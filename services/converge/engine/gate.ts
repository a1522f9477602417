import type { Call } from "./call.ts";
import type { Report } from "./report.ts";

/**
 * Where to stop the world, for tests: `traefik:3:before` or `traefik:3:after`, a piece and its call,
 * counted from 1 in each run. It can only be set by who may write the unit's environment, which is root.
 */
export const stopAtVariable = "CC_CI_STOP_AT";

/** The one place through which everything that changes the world goes: named, logged, counted. */
export class Gate {
  readonly #report: Report;
  readonly #stopAt: string | undefined;
  #count = 0;

  constructor(report: Report, stopAt: string | undefined) {
    this.#report = report;
    this.#stopAt = stopAt;
  }

  /** Calls made so far. */
  get count(): number {
    return this.#count;
  }

  /** @param piece whose call it is */
  async perform(call: Call, piece: string): Promise<void> {
    this.#count += 1;
    this.#report.call(call);
    await this.#stopHere(`${piece}:${this.#count}:before`);
    await call.perform();
    await this.#stopHere(`${piece}:${this.#count}:after`);
  }

  /** Stops this process until somebody continues or kills it. */
  async #stopHere(here: string): Promise<void> {
    if (this.#stopAt !== here) return;
    process.kill(process.pid, "SIGSTOP");
    // The signal reaches the whole process only at its next turn: nothing may happen before it does.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
