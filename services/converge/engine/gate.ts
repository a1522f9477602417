import { stopHere } from "../../lib/stop-here.ts";
import type { Call } from "./call.ts";
import type { Report } from "./report.ts";

/** The one place through which everything that changes the world goes: named, logged, counted. */
export class Gate {
  readonly #report: Report;
  readonly #stopAt: string | undefined;
  #count = 0;

  /** @param stopAt as `stopHere` has it: a piece and its call */
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
    await stopHere(`${piece}:${this.#count}:before`, this.#stopAt);
    await call.perform();
    await stopHere(`${piece}:${this.#count}:after`, this.#stopAt);
  }
}
