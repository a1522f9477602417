import { stopAtVariable, stopHere } from "../../lib/stop-here.ts";
import type { Act } from "../telemetry/acts.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** All that changes something outside of the bridge goes through here, one by one in each lane. */
export class Gate {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #stopAt = process.env[stopAtVariable];
  #step = 0;

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** @param target what it is done to */
  async pass<Result>(act: Act, target: string, perform: () => Promise<Result>): Promise<Result> {
    this.#step += 1;
    const here = `bridge:${this.#step}`;
    this.#log.info({ act, target, step: this.#step }, "does");
    await stopHere(`${here}:before`, this.#stopAt);
    const result = await perform();
    this.#metrics.did(act);
    await stopHere(`${here}:after`, this.#stopAt);
    return result;
  }
}
