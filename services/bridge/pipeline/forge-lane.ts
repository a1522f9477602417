import type { ForgeComment } from "../../lib/forge/schemas.ts";
import {
  type Attempted,
  attempt,
  longestPauseMilliseconds,
  type Trial,
} from "../pacing/attempt.ts";
import { isDue } from "../pacing/due.ts";
import { Turn } from "../pacing/turn.ts";
import type { Time } from "../records/attempts.ts";
import type { NotedNudge } from "../records/cursors.ts";
import type { Bridge } from "./bridge.ts";
import { noteHead } from "./heads.ts";
import { judge } from "./judge.ts";
import { Lookout } from "./lookout.ts";
import { takeIn } from "./take-in.ts";
import { react, reply, tellOf } from "./tell.ts";

/** How much is taken on in one go, so that none keeps what comes meanwhile waiting for long. */
const mostAtOnce = 100;

/** How often the forge may say no to one thing before that is given up: for some two hours. */
const most = 30;

/** Of what waits for what was written before it on the same pull request, which says when it is tried again. */
const notBefore: Attempted = { as: "later", at: Number.POSITIVE_INFINITY, isSilence: false };

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

  get #time(): Time {
    return { now: this.#bridge.now(), longest: longestPauseMilliseconds };
  }

  /** One go over all that is due. @returns when the next is to be, in milliseconds since 1970 */
  async turn(): Promise<number> {
    const { forge, now, records } = this.#bridge;
    if (forge.quietMilliseconds > 0) return now() + forge.quietMilliseconds;
    const turn = new Turn(now() + 60_000, () => forge.quietMilliseconds > 0);
    await this.#followNudges(turn);
    await this.#look(turn);
    await this.#judge(turn);
    const hasMoved = turn.hasDone;
    await this.#answer(turn);
    await this.#tell(turn);
    if (hasMoved && !turn.isOver && this.#hasMore()) turn.againAt(now());
    for (const duty of ["nudge", "judge"] as const)
      turn.againAt(records.attempts.nextAt(duty, this.#time));
    return Math.max(turn.next, now() + forge.quietMilliseconds);
  }

  async #followNudges(turn: Turn): Promise<void> {
    const { records } = this.#bridge;
    const followed: { readonly nudge: NotedNudge; readonly found: ForgeComment | undefined }[] = [];
    await turn.over(records.cursors.nudges(mostAtOnce, this.#time), async (nudge) => {
      const trial: Trial = { duty: "nudge", item: nudge.item, most };
      const came = await attempt(this.#bridge, trial, async () => {
        followed.push({ nudge, found: await this.#ask(nudge) });
      });
      // A sweep may still find it.
      if (came.as === "given-up") records.cursors.followed(nudge);
      return came;
    });
    if (followed.length === 0) return;
    // At once: each time that something is written down, deliveries of hooks wait for the disk.
    records.together(() => {
      for (const { nudge, found } of followed) {
        if (found !== undefined) takeIn(this.#bridge, nudge.repository, found);
        records.cursors.followed(nudge);
      }
    });
  }

  /** Asks the forge for what we were told of. @returns the comment, where it is one that is not known */
  async #ask({ kind, repository, number }: NotedNudge): Promise<ForgeComment | undefined> {
    const { forge, records } = this.#bridge;
    if (kind === "push") {
      await noteHead(this.#bridge, repository, number);
      return undefined;
    }
    return records.commands.knows(number) ? undefined : await forge.comment(repository, number);
  }

  async #look(turn: Turn): Promise<void> {
    const { settings, now } = this.#bridge;
    const { mode, pollSeconds, sweepSeconds } = settings;
    const isSweep = isDue(this.#nextSweep, now(), sweepSeconds * 1000);
    const isTick = mode === "poll" && isDue(this.#nextTick, now(), pollSeconds * 1000);
    let isLate = isSweep || isTick;
    if (isLate) {
      await turn.over(["forge"], (item) =>
        attempt(this.#bridge, { duty: "look", item }, async () => {
          const begun = now();
          await this.#lookout.look(isSweep ? "sweep" : "tick");
          isLate = false;
          this.lookedAt = now();
          this.#nextTick = begun + pollSeconds * 1000;
          if (!isSweep) return;
          this.#nextSweep = begun + sweepSeconds * 1000;
          this.#forget();
        }),
      );
    }
    // Where it did not succeed, the turn knows when to try again.
    if (isLate) return;
    turn.againAt(mode === "poll" ? Math.min(this.#nextTick, this.#nextSweep) : this.#nextSweep);
  }

  async #judge(turn: Turn): Promise<void> {
    const { records, now } = this.#bridge;
    /** Pull requests on which one waits for the forge. */
    const waiting = new Set<string>();
    await turn.over(records.commands.unjudged(mostAtOnce, this.#time), async (asked) => {
      const place = `${asked.repository}#${asked.pull}`;
      if (waiting.has(place)) return notBefore;
      const trial: Trial = { duty: "judge", item: String(asked.comment), most };
      const came = await attempt(this.#bridge, trial, () => judge(this.#bridge, asked));
      if (came.as === "later" && records.attempts.find(trial.duty, trial.item)?.noes === 0) {
        waiting.add(place);
      }
      // Else it would be in the way of those that came after it.
      if (came.as === "given-up") records.commands.judge(asked.comment, "given-up", now());
      return came;
    });
  }

  async #answer(turn: Turn): Promise<void> {
    const { answers } = this.#bridge.records;
    await turn.over(answers.owedReactions(), async (owed) => {
      const trial: Trial = { duty: "react", item: String(owed.comment), most };
      return await attempt(this.#bridge, trial, () => react(this.#bridge, owed));
    });
    await turn.over(answers.unposted(), async (owed) => {
      const trial: Trial = { duty: "reply", item: String(owed.comment), most };
      return await attempt(this.#bridge, trial, () => reply(this.#bridge, owed));
    });
  }

  async #tell(turn: Turn): Promise<void> {
    const { records, now } = this.#bridge;
    await turn.over(records.answers.changedSince(now() - tellingMilliseconds), async (told) => {
      const trial: Trial = { duty: "tell", item: `${told.repository}#${told.pull}`, most };
      const before = records.attempts.find(trial.duty, trial.item);
      // What was given up is told all the same once there is something else to tell of.
      const isNews = before?.isParked && told.changedAt > before.nextAt;
      if (isNews) records.attempts.succeeded(trial.duty, trial.item);
      return await attempt(this.#bridge, trial, () => tellOf(this.#bridge, told));
    });
  }

  #hasMore(): boolean {
    const { commands, cursors } = this.#bridge.records;
    return cursors.nudges(1, this.#time).length + commands.unjudged(1, this.#time).length > 0;
  }

  #forget(): void {
    const { records, now } = this.#bridge;
    const before = now() - memoryMilliseconds;
    records.commands.forget(before);
    records.requests.forget(before);
    records.attempts.forget(before);
    records.answers.forget(before);
  }
}
