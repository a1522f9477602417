/** Somebody who sleeps until a time, and can be woken before. */
export class Alarm {
  #wake: (() => void) | undefined;
  #isRinging = false;

  /** Ends the sleep, or the next one where nobody sleeps. */
  ring(): void {
    this.#isRinging = true;
    this.#wake?.();
  }

  /** @param milliseconds how long at the most */
  async sleep(milliseconds: number): Promise<void> {
    if (!this.#isRinging && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(milliseconds, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isRinging = false;
  }
}
