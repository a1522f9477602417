import type { Nudge } from "../records/cursors.ts";
import type { Records } from "../records/index.ts";

/** Writes down what we were told of: all that came within a moment at once, for each write waits for the disk. */
export class NudgeBox {
  readonly #records: Records;
  readonly #ring: () => void;
  #open: { readonly nudges: Nudge[]; readonly written: Promise<void> } | undefined;

  /** @param ring is called once there is something new */
  constructor(records: Records, ring: () => void) {
    this.#records = records;
    this.#ring = ring;
  }

  /** Returns once it is written down. */
  async add(nudge: Nudge): Promise<void> {
    this.#open ??= this.#opened();
    const { nudges, written } = this.#open;
    nudges.push(nudge);
    await written;
  }

  #opened() {
    const nudges: Nudge[] = [];
    const written = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#open = undefined;
      this.#records.together(() => {
        for (const nudge of nudges) this.#records.cursors.nudge(nudge);
      });
      this.#ring();
    });
    return { nudges, written };
  }
}
