import { setTimeout as sleep } from "node:timers/promises";
import type { BridgeSettings } from "../../lib/bridge-settings.ts";
import type { ForgeClient } from "../../lib/forge/client.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import type { Health } from "../telemetry/health.ts";
import type { Log } from "../telemetry/log.ts";
import type { Self } from "./bridge.ts";

/** Between two looks at our own account that came to nothing, in milliseconds. */
const againMilliseconds = 30_000;

/** What was found of our own account. */
export type Found =
  | { readonly as: "fit"; readonly self: Self }
  /** It cannot do what it is for: a person has to see to it. */
  | { readonly as: "unfit"; readonly why: string }
  | { readonly as: "silence"; readonly why: string };

interface SelfWatchOptions {
  readonly forge: Pick<ForgeClient, "user" | "membership" | "isInTeam" | "mayComment">;
  readonly settings: BridgeSettings;
  readonly health: Pick<Health, "unfit">;
  readonly log: Log;
  readonly now: () => number;
}

/** Sees to it that nothing is acted on while our own account is not told who is a member. */
export class SelfWatch {
  readonly #options: SelfWatchOptions;
  #isFit = false;
  #nextAt = 0;

  constructor(options: SelfWatchOptions) {
    this.#options = options;
  }

  /** Waits until our account is there, and can do what it is for; undefined when we are to end before that. */
  async waitUntilFit(signal: AbortSignal): Promise<Self | undefined> {
    while (!signal.aborted) {
      const found = await this.#look();
      if (found.as === "fit") return found.self;
      // Being told to end is no error.
      const pause = againMilliseconds * (1 + Math.random() / 2);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  /**
   * Looks at our account again: as often as at all that may have been missed, and whenever it is in doubt.
   *
   * @returns when to ask again, in milliseconds since 1970, as long as it cannot do what it is for; else undefined
   */
  async againAt(isInDoubt: boolean): Promise<number | undefined> {
    const { now } = this.#options;
    if (now() >= this.#nextAt || (isInDoubt && this.#isFit)) await this.#look();
    return this.#isFit ? undefined : this.#nextAt;
  }

  async #look(): Promise<Found> {
    const { forge, settings, health, log, now } = this.#options;
    const found = await findSelf(forge, settings);
    if (found.as === "fit") {
      if (!this.#isFit) log.info({ account: found.self.login }, "is a member, and begins");
      health.unfit = undefined;
      this.#isFit = true;
      this.#nextAt = now() + settings.sweepSeconds * 1000;
      return found;
    }
    this.#nextAt = now() + againMilliseconds;
    if (found.as === "silence") {
      // Of an account that was fit it says nothing.
      if (this.#isFit) return found;
      log.warn({ why: found.why }, "the forge does not answer");
      health.unfit = `the forge does not tell whose token it has: ${found.why}`;
      return found;
    }
    log.error({ why: found.why }, "is unfit");
    health.unfit = found.why;
    this.#isFit = false;
    return found;
  }
}

/** Sees whose token we have, and whether the forge tells that account who is a member. */
async function findSelf(
  forge: SelfWatchOptions["forge"],
  { forge: { server, organisation, team }, recipes }: BridgeSettings,
): Promise<Found> {
  const unfitToken = (trouble: string) =>
    `${server} refuses the bridge's token (${trouble}): make one with the scopes write:issue, read:repository, read:organization and read:user, and put it in its file; until then nothing is acted on`;
  try {
    const { id, login } = await forge.user();
    if ((await forge.membership(organisation, login)) !== "member") {
      const why = `the bridge's account ${login} is no member of ${organisation} on ${server}, so the forge does not tell it who is: add it to a team there; until then nothing is acted on`;
      return { as: "unfit", why };
    }
    if (team !== null && !(await seesTeam(forge, team, login))) {
      const why = `the bridge's account ${login} is not in team ${team} of ${organisation} on ${server}, so the forge does not tell it who is: add it to that team; until then nothing is acted on`;
      return { as: "unfit", why };
    }
    const [recipe] = recipes;
    if (recipe !== undefined && !(await forge.mayComment(recipe.repository))) {
      return { as: "unfit", why: unfitToken("it may read, and not comment") };
    }
    return { as: "fit", self: { id, login } };
  } catch (error) {
    if (!(error instanceof ForgeRefusal)) throw error;
    if (error.trouble === "token-refused" || error.trouble === "not-allowed") {
      return { as: "unfit", why: unfitToken(error.message) };
    }
    return { as: "silence", why: error.message };
  }
}

/** Of a team, only those who are in it are told. */
async function seesTeam(
  forge: SelfWatchOptions["forge"],
  team: number,
  login: string,
): Promise<boolean> {
  try {
    return await forge.isInTeam(team, login);
  } catch (error) {
    if (error instanceof ForgeRefusal && error.trouble === "not-allowed") return false;
    throw error;
  }
}
