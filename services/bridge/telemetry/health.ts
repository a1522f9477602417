import type { BridgeSettings } from "../../lib/bridge-settings.ts";

/** Longer than any look takes that succeeds in the end, in seconds. */
const patienceSeconds = 120;

interface HealthOptions {
  readonly settings: BridgeSettings;
  readonly now: () => number;
  /** How many of the recipes the forge will not let us read. */
  readonly unreadable: () => number;
}

/** Whether the bridge does what it is for; a Drone that is away, and a forge that is so for a moment, is no matter. */
export class Health {
  readonly #options: HealthOptions;
  readonly #begun: number;
  /** When the forge last told what is new. */
  lookedAt: number | undefined;
  /** Why our own account cannot do what it is for, as far as is known; undefined where it can. */
  unfit: string | undefined = "it has just begun, and does not know its own account yet";

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#begun = options.now();
  }

  now(): { readonly problems: readonly string[] } {
    const { settings, now, unreadable } = this.#options;
    const { mode, pollSeconds, sweepSeconds } = settings;
    const usual = mode === "poll" ? pollSeconds : sweepSeconds;
    const age = (now() - (this.lookedAt ?? this.#begun)) / 1000;
    const isStuck = age > 3 * usual + patienceSeconds;
    // Their names are for the log: this page is for everybody.
    const missing = unreadable();
    const which = `${missing} of ${settings.recipes.length} repositories cannot be read: see the lines 'not now' of the log`;
    return {
      problems: [
        ...(this.unfit === undefined ? [] : [this.unfit]),
        ...(isStuck ? [`the forge has told nothing for ${Math.round(age)} s`] : []),
        ...(missing === 0 ? [] : [which]),
      ],
    };
  }
}
