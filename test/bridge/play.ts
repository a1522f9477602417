import { expect } from "vitest";
import { freePort } from "../forge/gitea.ts";
import { until } from "../host/machine/processes.ts";
import type { OpenPull } from "./forge.ts";
import { hook, seldom } from "./hook.ts";
import type { BridgeProcess, LogEntry } from "./process.ts";
import type { Stage } from "./stage.ts";

/** How the bridge learns of a line. */
export type Mode = "poll" | "webhook";

/** Of a step. */
export type Moment = "before" | "after";

/** What people do on a pull request, and what comes of that. */
export interface Script {
  /** What is written, the next one once there is a build of the one before. */
  readonly lines: readonly [string, ...string[]];
  /** Whether builds wait until the last line is written. */
  readonly isHeld?: boolean;
  /** Whether something is pushed before the second line. */
  readonly isPushed?: boolean;
  readonly end: End;
}

interface End {
  /** How builds ended. */
  readonly builds: readonly string[];
  /** What the one comment of tests begins with; undefined where there is none. */
  readonly says: string | undefined;
  /** How many comments there are of the bridge's. */
  readonly answers: number;
  /** What each line was given. */
  readonly reactions: readonly (readonly string[])[];
}

const wrong = "0".repeat(40);

export const scripts = {
  "a test that passes": {
    lines: ["!testme"],
    end: { builds: ["success"], says: "✅ passed", answers: 1, reactions: [["ci-bot: +1"]] },
  },
  "a test that is refused": {
    lines: [`!testme ${wrong}`],
    end: { builds: [], says: undefined, answers: 1, reactions: [["ci-bot: -1"]] },
  },
  "a word of help": {
    lines: ["!testme help"],
    end: { builds: [], says: undefined, answers: 1, reactions: [[]] },
  },
  "a test that is cancelled": {
    ...{ lines: ["!testme", "!testme cancel"], isHeld: true },
    end: {
      ...{ builds: ["killed"], says: "⚪ cancelled", answers: 1 },
      reactions: [["ci-bot: confused"], ["ci-bot: +1"]],
    },
  },
  "a test that takes the place of another": {
    ...{ lines: ["!testme", "!testme"], isHeld: true, isPushed: true },
    end: {
      ...{ builds: ["killed", "success"], says: "✅ passed", answers: 1 },
      reactions: [["ci-bot: confused"], ["ci-bot: +1"]],
    },
  },
} as const satisfies Readonly<Record<string, Script>>;

/** Between two looks at how far it has come, in milliseconds. */
const pause = 250;

/** One script, played with a bridge of its own. */
export class Play implements AsyncDisposable {
  readonly bridge: BridgeProcess;
  readonly #stage: Stage;
  readonly #script: Script;
  readonly #pull: OpenPull;
  /** Of each line that is written. */
  readonly #comments: number[] = [];

  private constructor(stage: Stage, bridge: BridgeProcess, script: Script, pull: OpenPull) {
    this.#stage = stage;
    this.bridge = bridge;
    this.#script = script;
    this.#pull = pull;
  }

  /**
   * The bridge was there before and does not run. Where it looks by itself the first line is written; where the forge
   * tells it, that is not before it can hear of it.
   */
  static async begin(stage: Stage, script: Script, mode: Mode): Promise<Play> {
    const port = await freePort();
    const { bridge, repository } = await stage.bridged(
      mode === "poll" ? {} : { mode, ...seldom, listen: { port } },
    );
    await bridge.stop();
    if (mode === "webhook") await hook(stage, port, { of: `repos/${repository}` });
    const pull = await stage.forge.pull(repository);
    if (script.isHeld) stage.builds.hold(pull);
    const play = new Play(stage, bridge, script, pull);
    if (mode === "poll") await play.#write(script.lines[0]);
    return play;
  }

  async #write(line: string): Promise<void> {
    this.#comments.push(await this.#stage.forge.ask(this.#pull, line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge.kill();
  }

  /**
   * Has people go on with what they do until that is so, or until all is as it is to be in the end.
   *
   * @returns whether it is so
   */
  async until(isSo: () => boolean): Promise<boolean> {
    try {
      return await until(
        "the end",
        300,
        async () => {
          if (isSo()) return true;
          await this.#goOn();
          return (await this.#isOver()) ? isSo() : undefined;
        },
        pause,
      );
    } catch (error) {
      throw new Error(`${String(error)}; there is ${JSON.stringify(await this.#seen())}`);
    }
  }

  /** Starts a life that stands still at a step. @returns whether it comes to that */
  async startUpTo(step: number, moment: Moment): Promise<boolean> {
    const { bridge } = this;
    await bridge.start(`bridge:${step}:${moment}`);
    const isThere = await this.until(() => this.steps.length >= step);
    if (isThere) await bridge.freezes();
    return isThere;
  }

  /** What the bridge has done since its last start. */
  get steps(): readonly string[] {
    return this.bridge.log.filter(({ msg }) => msg === "does").map((act) => this.nameOf(act));
  }

  /**
   * Waits until a life that nobody disturbs has brought all to its end, and has then looked at it once more.
   *
   * @returns what was done up to there, in all lives
   */
  async expectEnd(): Promise<readonly string[]> {
    await this.until(() => false);
    const done = this.bridge.acts.map((act) => this.nameOf(act));
    const { end } = this.#script;
    const last = await this.#stage.forge.ask(this.#pull, "!testme help");
    await this.#stage.forge.repliesTo(this.#pull, last);
    expect(await this.#seen()).toEqual({ ...end, answers: end.answers + 1 });
    // Whatever was done several times over was decided once.
    for (const message of ["took in", "judged", "ended"]) {
      const comments = this.bridge.wholeLog
        .filter(({ msg }) => msg === message)
        .map(({ comment }) => comment);
      expect(comments, message).toHaveLength(new Set(comments).size);
    }
    return done;
  }

  async #goOn(): Promise<void> {
    const { lines, isHeld, isPushed, end } = this.#script;
    const line = lines[this.#comments.length];
    if (line === undefined && !isHeld) return;
    if (this.#comments.length === 0) return await this.#write(lines[0]);
    const builds = await this.#stage.builds.of(this.#pull);
    if (line !== undefined && builds.length > 0) {
      if (isPushed) await this.#stage.forge.push(this.#pull);
      await this.#write(line);
    } else if (line === undefined && end.builds.every(isReached)) {
      this.#stage.builds.release(this.#pull);
    }

    /** Those that are ended by us are ended before the others may end by themselves. */
    function isReached(wanted: string, index: number): boolean {
      const status = builds[index]?.status;
      return wanted === "killed" ? status === "killed" : status !== undefined;
    }
  }

  async #isOver(): Promise<boolean> {
    const { lines, end } = this.#script;
    const ended = this.bridge.wholeLog.filter(({ msg }) => msg === "ended");
    if (this.#comments.length < lines.length || ended.length < end.builds.length) return false;
    return JSON.stringify(await this.#seen()) === JSON.stringify(end);
  }

  async #seen(): Promise<End> {
    const { repository } = this.#pull;
    const status = await this.#stage.forge.status(this.#pull);
    const reactions: (readonly string[])[] = [];
    for (const comment of this.#comments) {
      reactions.push(await this.#stage.forge.reactions(repository, comment));
    }
    return {
      builds: (await this.#stage.builds.of(this.#pull)).map((build) => build.status),
      says: /\n\n(\S+ \S+)/.exec(status?.body ?? "")?.[1],
      answers: (await this.#stage.forge.answers(this.#pull)).length,
      reactions,
    };
  }

  /** What a step does, in words that are the same in every play of the script. */
  nameOf(entry: LogEntry): string {
    const { act = "", target = "" } = entry;
    const lineOf = (comment: unknown) => `line ${this.#comments.indexOf(Number(comment)) + 1}`;
    if (act === "build start") return `${act}, ${lineOf(this.#commentOf(target))}`;
    if (act === "build cancel") {
      const log = this.bridge.wholeLog;
      const found = log.find(({ msg, build }) => msg === "has a build" && build === Number(target));
      return `${act}, ${lineOf(this.#commentOf(String(found?.id)))}`;
    }
    if (act === "comment edit") return `${act}, ${this.#phaseAt(entry)}`;
    const [, reaction, comment] = /^(\S+) \S+ (\d+)$/.exec(target) ?? [];
    return reaction === undefined ? act : `${act} ${reaction}, ${lineOf(comment)}`;
  }

  /** How many tests were over. */
  #phaseAt(entry: LogEntry): string {
    const log = this.bridge.wholeLog;
    const before = log.slice(0, log.indexOf(entry));
    return `with ${before.filter(({ msg }) => msg === "ended").length} over`;
  }

  #commentOf(request: string): number | undefined {
    return this.bridge.wholeLog.find(({ why }) => why?.startsWith(`${request} `))?.comment;
  }
}
