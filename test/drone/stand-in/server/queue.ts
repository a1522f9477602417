import type { Filter, Stage } from "../records.ts";
import type { Store } from "./store.ts";

/** An open question waits for this long, in milliseconds. */
const pollMilliseconds = 30_000;

/** A question of a runner that is not answered yet. */
interface Waiting {
  readonly filter: Filter;
  readonly answer: (stage: Stage | undefined) => void;
}

/** Hands stages to runners, the oldest first, and tells them which builds have been ended. */
export class Queue {
  readonly #store: Store;
  readonly #waiting = new Set<Waiting>();
  readonly #watching = new Map<number, Set<(isEnded: boolean) => void>>();

  constructor(store: Store) {
    this.#store = store;
    // Drone looks once a minute by itself too.
    setInterval(() => this.look(), 60_000).unref();
  }

  /** Gives what waits to whoever waits for it. */
  look(): void {
    for (const stage of this.#store.data.stages) {
      if (stage.status !== "pending" || stage.machine) continue;
      const waiting = [...this.#waiting].find(({ filter }) => suits(filter, stage));
      if (waiting === undefined) continue;
      this.#waiting.delete(waiting);
      waiting.answer(stage);
    }
  }

  /** @returns undefined when none came within half a minute, or nobody waits for it any more */
  async take(filter: Filter, gone: AbortSignal): Promise<Stage | undefined> {
    return await new Promise((resolve) => {
      const waiting: Waiting = {
        filter,
        answer: (stage) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve(stage);
        },
      };
      const timer = setTimeout(() => waiting.answer(undefined), pollMilliseconds);
      gone.addEventListener("abort", () => waiting.answer(undefined));
      this.#waiting.add(waiting);
      this.look();
    });
  }

  /** Whether the build was ended by somebody within half a minute from now. */
  async ended(buildId: number, gone: AbortSignal): Promise<boolean> {
    const watching = this.#watching.get(buildId) ?? new Set();
    this.#watching.set(buildId, watching);
    return await new Promise((resolve) => {
      const answer = (isEnded: boolean): void => {
        clearTimeout(timer);
        watching.delete(answer);
        resolve(isEnded);
      };
      const timer = setTimeout(() => answer(false), pollMilliseconds);
      gone.addEventListener("abort", () => answer(false));
      watching.add(answer);
    });
  }

  tellEnded(buildId: number): void {
    for (const answer of [...(this.#watching.get(buildId) ?? [])]) answer(true);
  }
}

/** The labels of both must be the same. */
function suits(filter: Filter, stage: Stage): boolean {
  const [one, other] = [filter.labels ?? {}, stage.labels ?? {}];
  const names = Object.keys(one);
  return (
    filter.type === stage.type &&
    filter.os === stage.os &&
    filter.arch === stage.arch &&
    names.length === Object.keys(other).length &&
    names.every((name) => one[name] === other[name])
  );
}
