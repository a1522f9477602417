/** How one of the two servers answers. */
export type Mood =
  | "well"
  /** Not at all, and does nothing. */
  | "silent"
  /** With 500, and does nothing. */
  | "failing"
  /** That it wants to be left alone for a minute, and does nothing. */
  | "busy"
  /** With something that nobody understands, and does nothing. */
  | "strange";

/** What is the matter with one of the two servers. */
export class Trouble {
  mood: Mood = "well";
  #lost: number | undefined;

  /** Has the answer get lost to one of the next calls, which is done all the same. @param nth from 1 on */
  loseAnswer(nth: number): void {
    this.#lost = nth;
  }

  /** Whether the answer to this call gets lost. */
  isLost(): boolean {
    if (this.#lost === undefined) return false;
    this.#lost -= 1;
    if (this.#lost > 0) return false;
    this.#lost = undefined;
    return true;
  }

  heal(): void {
    this.mood = "well";
    this.#lost = undefined;
  }
}
