import { stopAtVariable, stopHere } from "../lib/stop-here.ts";

/** Performs what changes something, each named by its place, so that a test can kill before and after it. */
export class Steps {
  readonly #name: string;
  #count = 0;

  /** @param name of the command whose steps they are */
  constructor(name: string) {
    this.#name = name;
  }

  async perform<Value>(step: () => Promise<Value>): Promise<Value> {
    this.#count += 1;
    const here = `${this.#name}:${this.#count}`;
    await stopHere(`${here}:before`, process.env[stopAtVariable]);
    const value = await step();
    await stopHere(`${here}:after`, process.env[stopAtVariable]);
    return value;
  }
}
