import type { BridgeSettings } from "../../lib/bridge-settings.ts";

/** Longer than any look takes that succeeds in the end, in seconds. */
const patienceSeconds = 120;

interface HealthOptions {
  readonly settings: BridgeSettings;
  readonly now: () => number;
}

/** Whether the bridge does what it is for; a Drone that is away, and a forge that is so for a moment, is no matter. */
export class Health {
  readonly #options: HealthOptions;
  readonly #begun: number;
  /** When the forge last told what is new. */
  lookedAt: number | undefined;
  /** Why our own account cannot do what it is for; undefined where it can. */
  unfit: string | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#begun = options.now();
  }

  now(): { readonly problems: readonly string[] } {
    const { settings, now } = this.#options;
    const { mode, pollSeconds, sweepSeconds } = settings;
    const usual = mode === "poll" ? pollSeconds : sweepSeconds;
    const age = (now() - (this.lookedAt ?? this.#begun)) / 1000;
    const isStuck = age > 3 * usual + patienceSeconds;
    return {
      problems: [
        ...(this.unfit === undefined ? [] : [this.unfit]),
        ...(isStuck ? [`the forge has told nothing for ${Math.round(age)} s`] : []),
      ],
    };
  }
}
