import type { Attempted } from "./attempt.ts";

/** So many silences in a row, and there is no sense in asking for more. */
const mostSilences = 2;

/** One go of a lane over all that is due. */
export class Turn {
  #silences = 0;
  #next: number;
  #hasDone = false;
  readonly #isQuiet: () => boolean;

  /**
   * @param at when the next go is at the latest, in milliseconds since 1970
   * @param isQuiet whether the other side wants to be asked for nothing
   */
  constructor(at: number, isQuiet = () => false) {
    this.#next = at;
    this.#isQuiet = isQuiet;
  }

  /** When the next go is to be. */
  get next(): number {
    return this.#next;
  }

  /** Whether anything was done so far: the next go has less to do. */
  get hasDone(): boolean {
    return this.#hasDone;
  }

  /** Whether the other side does not answer, or wants its peace: the rest of what is due can wait. */
  get isOver(): boolean {
    return this.#silences >= mostSilences || this.#isQuiet();
  }

  /** Has the next go be no later than that. */
  againAt(at: number | undefined): void {
    if (at !== undefined) this.#next = Math.min(this.#next, at);
  }

  async over<Item>(
    items: readonly Item[],
    attempt: (item: Item) => Promise<Attempted>,
  ): Promise<void> {
    for (const item of items) {
      if (this.isOver) return;
      const came = await attempt(item);
      if (came.as === "later") this.againAt(came.at);
      this.#hasDone ||= came.as !== "later";
      const isSilence = came.as === "later" && came.isSilence;
      this.#silences = isSilence ? this.#silences + 1 : came.as === "done" ? 0 : this.#silences;
    }
  }
}
