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

  /** Does something that keeps to the seconds that are left. */
  async spend<Value>(act: (seconds: number) => Promise<Value>): Promise<Value> {
    const begin = this.#clock.monotonic();
    try {
      return await act(this.#seconds);
    } finally {
      this.#seconds = Math.max(0, this.#seconds - (this.#clock.monotonic() - begin));
    }
  }

  /** Asks until there is an answer or the patience is used up; once when it is. */
  async waitFor<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    return await this.spend((seconds) => waitFor(this.#clock, { seconds }, ask));
  }
}
