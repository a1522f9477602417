import { attempt } from "./attempt.ts";
import type { Bridge } from "./bridge.ts";
import { judge } from "./judge.ts";
import { Lookout } from "./lookout.ts";
import { takeIn } from "./take-in.ts";
import { react, reply, tellOf } from "./tell.ts";
import { Turn } from "./turn.ts";

/** How much is taken on in one go, so that none keeps what comes meanwhile waiting for long. */
const mostAtOnce = 100;

/** How often the forge may say no to one thing before that is given up: for some two hours. */
const most = 30;

/** For how long a pull request is told of, after nothing changes any more. */
const tellingMilliseconds = 24 * 60 * 60_000;

/** For how long what was asked for and done is remembered. */
const memoryMilliseconds = 90 * 24 * 60 * 60_000;

/** All that is read on the forge, and all that is written there. */
export class ForgeLane {
  readonly #bridge: Bridge;
  readonly #lookout: Lookout;
  #nextTick = 0;
  #nextSweep = 0;
  /** When the forge was last asked for what is new, and answered. */
  lookedAt: number | undefined;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
    this.#lookout = new Lookout(bridge);
  }

  /** One go over all that is due. @returns when the next is to be, in milliseconds since 1970 */
  async turn(): Promise<number> {
    const { records, now } = this.#bridge;
    const turn = new Turn(now() + 60_000);
    await this.#followNudges(turn);
    await this.#look(turn);
    await turn.over(records.commands.unjudged(mostAtOnce), (asked) =>
      attempt(this.#bridge, { duty: "judge", item: String(asked.comment), most }, () =>
        judge(this.#bridge, asked),
      ),
    );
    await turn.over(records.answers.owedReactions(), (owed) =>
      attempt(this.#bridge, { duty: "react", item: String(owed.comment), most }, () =>
        react(this.#bridge, owed),
      ),
    );
    await turn.over(records.answers.unposted(), (owed) =>
      attempt(this.#bridge, { duty: "reply", item: String(owed.comment), most }, () =>
        reply(this.#bridge, owed),
      ),
    );
    await turn.over(records.answers.changedSince(now() - tellingMilliseconds), (told) =>
      attempt(this.#bridge, { duty: "tell", item: `${told.repository}#${told.pull}`, most }, () =>
        tellOf(this.#bridge, told),
      ),
    );
    if (!turn.isOver && this.#hasMore()) turn.againAt(now());
    return turn.next;
  }

  async #followNudges(turn: Turn): Promise<void> {
    const { forge, records } = this.#bridge;
    await turn.over(records.cursors.nudges(mostAtOnce), (nudge) =>
      attempt(this.#bridge, { duty: "nudge", item: String(nudge.comment), most }, async () => {
        const { repository, comment } = nudge;
        const found = records.commands.knows(comment)
          ? undefined
          : await forge.comment(repository, comment);
        records.together(() => {
          if (found !== undefined) takeIn(this.#bridge, repository, found);
          records.cursors.followed(nudge);
        });
      }),
    );
  }

  async #look(turn: Turn): Promise<void> {
    const { settings, now } = this.#bridge;
    const { mode, pollSeconds, sweepSeconds } = settings;
    const isSweep = now() >= this.#nextSweep;
    const isDue = isSweep || (mode === "poll" && now() >= this.#nextTick);
    if (isDue) {
      await turn.over(["forge"], (item) =>
        attempt(this.#bridge, { duty: "look", item }, async () => {
          const begun = now();
          await this.#lookout.look(isSweep ? "sweep" : "tick");
          this.lookedAt = now();
          this.#nextTick = begun + pollSeconds * 1000;
          if (!isSweep) return;
          this.#nextSweep = begun + sweepSeconds * 1000;
          this.#forget();
        }),
      );
    }
    const next = mode === "poll" ? Math.min(this.#nextTick, this.#nextSweep) : this.#nextSweep;
    // Else it did not succeed, and the turn knows when to try again.
    if (next > now()) turn.againAt(next);
  }

  #hasMore(): boolean {
    const { records } = this.#bridge;
    const isFull = records.commands.unjudged(mostAtOnce).length === mostAtOnce;
    return isFull || records.cursors.nudges(mostAtOnce).length === mostAtOnce;
  }

  #forget(): void {
    const { records, now } = this.#bridge;
    const before = now() - memoryMilliseconds;
    records.commands.forget(before);
    records.requests.forget(before);
    records.attempts.forget(before);
  }
}
