import type { Clock } from "../adapters/clock.ts";
import { waitFor } from "./waiting.ts";

/** The waits of one resource, which all together take no longer than its seconds. */
export class Patience {
  readonly #clock: Clock;
  #seconds: number;

  constructor(clock: Clock, seconds: number) {
    this.#clock = clock;
    this.#seconds = seconds;
  }

  /** Does something that keeps to the seconds that are left: one at least, for what just begins. */
  async spend<Value>(act: (seconds: number) => Promise<Value>): Promise<Value> {
    const begin = this.#clock.monotonic();
    try {
      return await act(Math.max(1, Math.ceil(this.#seconds)));
    } finally {
      this.#seconds = Math.max(0, this.#seconds - (this.#clock.monotonic() - begin));
    }
  }

  /** Asks until there is an answer or the patience is used up; once when it is. */
  async waitFor<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    return await this.spend(() => waitFor(this.#clock, { seconds: this.#seconds }, ask));
  }
}
