import { stopAtVariable, stopHere } from "../lib/stop-here.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Everything that the bridge ever does to the world, and what each means. */
export const acts = {
  "build start": "have Drone begin a build",
  "build cancel": "have Drone end one",
  "comment post": "write a comment on a pull request",
  "comment edit": "write our comment on a pull request anew",
  "reaction give": "put a reaction on a comment",
  "reaction take": "take back one of ours",
} as const;

export type Act = keyof typeof acts;

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
