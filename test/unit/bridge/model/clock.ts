/** Time that goes on only when somebody lets it, with what is to happen in it. */
export class Clock {
  #now = Date.UTC(2026, 0, 5, 10);
  #goneBack = 0;
  #planned: readonly { readonly at: number; readonly act: () => void }[] = [];

  /** Milliseconds since 1970. */
  readonly now = (): number => this.#now;

  /** Milliseconds of a clock that never goes back. */
  get steady(): number {
    return this.#now + this.#goneBack;
  }

  /** The time, as a forge tells it: whole seconds. */
  second(): Date {
    return new Date(Math.floor(this.#now / 1000) * 1000);
  }

  /** Has something happen after so many milliseconds. */
  plan(milliseconds: number, act: () => void): void {
    const at = this.#now + milliseconds;
    this.#planned = [...this.#planned, { at, act }].toSorted((left, right) => left.at - right.at);
  }

  /** For everybody, as where it was ahead and somebody saw it. */
  putBack(milliseconds: number): void {
    this.#now -= milliseconds;
    this.#goneBack += milliseconds;
  }

  pass(milliseconds: number): void {
    const end = this.#now + Math.max(0, milliseconds);
    for (;;) {
      const [next, ...rest] = this.#planned;
      if (next === undefined || next.at > end) break;
      this.#planned = rest;
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
    this.#now = end;
  }
}
