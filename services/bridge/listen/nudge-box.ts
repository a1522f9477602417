import { setTimeout as sleep } from "node:timers/promises";
import type { Nudge } from "../records/cursors.ts";
import type { Records } from "../records/index.ts";

/** How long that is, in milliseconds: of hundreds of deliveries a second each would wait for all writes before it. */
const moment = 10;

/** Writes down what we were told of: all that came within a moment at once, for each write waits for the disk. */
export class NudgeBox {
  readonly #records: Records;
  readonly #ring: () => void;
  readonly #moment: number;
  #open: { readonly nudges: Nudge[]; readonly written: Promise<void> } | undefined;

  /**
   * @param ring is called once there is something new
   * @param milliseconds how long a moment is
   */
  constructor(records: Records, ring: () => void, milliseconds = moment) {
    this.#records = records;
    this.#ring = ring;
    this.#moment = milliseconds;
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
    const written = sleep(this.#moment).then(() => {
      this.#open = undefined;
      this.#records.together(() => {
        for (const nudge of nudges) this.#records.cursors.nudge(nudge);
      });
      this.#ring();
    });
    return { nudges, written };
  }
}
