import { rmSync } from "node:fs";
import pino from "pino";
import * as z from "zod";
import { NudgeBox } from "../../../../services/bridge/listen/nudge-box.ts";
import type { Bridge } from "../../../../services/bridge/pipeline/bridge.ts";
import { DroneLane } from "../../../../services/bridge/pipeline/drone-lane.ts";
import { ForgeLane } from "../../../../services/bridge/pipeline/forge-lane.ts";
import type { Nudge } from "../../../../services/bridge/records/cursors.ts";
import { Records } from "../../../../services/bridge/records/index.ts";
import type { BridgeSettings } from "../../../../services/lib/bridge-settings.ts";
import { Clock } from "./clock.ts";
import { DroneDoor } from "./drone-door.ts";
import { FakeDrone } from "./fake-drone.ts";
import { bot, FakeForge, type FakePull, organisation } from "./fake-forge.ts";
import { ForgeDoor } from "./forge-door.ts";
import { Crash, type Death, Life } from "./life.ts";
import { Witness } from "./witness.ts";

/** What differs from one bridge to the next. */
export interface Choice {
  readonly mode: BridgeSettings["mode"];
  readonly forks: BridgeSettings["forks"];
  readonly isLogPublic: boolean;
  /** Whether people reach the limits. */
  readonly isTight: boolean;
}

interface GoOn {
  /** Whether builds begin, and pass, meanwhile. */
  readonly isBuilt?: boolean;
  readonly isEnough?: () => boolean;
}

/** How far the test's own patience goes, in turns. */
const mostTurns = 4000;

/** The recipes that the bridge is for, and a repository that it is not for. */
export const enrolled = ["recipes/wiki", "recipes/blog"] as const;
export const stranger = "recipes/other";

/** The bridge's own lanes and records, on a file, between a forge and a Drone that are not. */
export class Pipeline {
  readonly clock = new Clock();
  readonly forge: FakeForge;
  readonly drone: FakeDrone;
  readonly witness: Witness;
  readonly settings: BridgeSettings;
  /** The operator's word that no test is taken. */
  stopped: string | undefined;
  readonly path: string;
  #records: Records;
  #life = new Life();
  #lanes: { readonly forge: ForgeLane; readonly drone: DroneLane; readonly box: NudgeBox };
  /** How long the next calls are on their way; the first is used first, and then comes last. */
  #pauses: readonly number[] = [];
  #lives = 1;

  /** @param path of the database, which must not be there */
  constructor(path: string, choice: Choice) {
    this.path = path;
    this.settings = settingsOf(choice);
    this.forge = new FakeForge(this.clock);
    this.drone = new FakeDrone(this.clock, {
      asks: (request) => this.witness.asks(request),
      cancels: (build) => this.witness.cancels(build),
    });
    this.witness = new Witness({
      ...{ forge: this.forge, drone: this.drone },
      requestOf: (id) => this.#records.requests.find(id),
      isInDoubt: (id) => this.#records.requests.inDoubt().some((each) => each.id === id),
    });
    this.#records = new Records(path);
    this.#lanes = this.#born();
  }

  get records(): Records {
    return this.#records;
  }

  get lives(): number {
    return this.#lives;
  }

  pullAt(index: number): FakePull {
    const pull = this.forge.pulls[index];
    if (pull === undefined) throw new Error("there is no such pull request");
    return pull;
  }

  end(death: Death): void {
    this.#life.end(death);
  }

  /** Ends the life of the bridge between two turns, and begins another. */
  restart(): void {
    this.#records.close();
    this.#records = new Records(this.path);
    this.#life = new Life();
    this.#lanes = this.#born();
    this.#lives += 1;
  }

  /** Ends the life of the bridge, takes its database away, and begins another. */
  loseRecords(): void {
    this.#records.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(`${this.path}${end}`, { force: true });
    this.#records = new Records(this.path);
    this.restart();
  }

  close(): void {
    this.#records.close();
  }

  async nudge(nudge: Nudge): Promise<void> {
    await this.#lanes.box.add(nudge);
  }

  /** @returns when the next is to be */
  async forgeTurn(): Promise<number> {
    return await this.#live([() => this.#lanes.forge.turn()]);
  }

  async droneTurn(): Promise<number> {
    return await this.#live([() => this.#lanes.drone.turn()]);
  }

  /** A turn of each at the same time. @param pauses how long calls of theirs are on their way */
  async bothTurns(pauses: readonly number[]): Promise<number> {
    this.#pauses = pauses;
    try {
      return await this.#live([() => this.#lanes.forge.turn(), () => this.#lanes.drone.turn()]);
    } finally {
      this.#pauses = [];
    }
  }

  /** Lets the bridge do what it does by itself, until a time, or until it is enough. */
  async goOn(milliseconds: number, { isBuilt = false, isEnough }: GoOn = {}): Promise<void> {
    const end = this.clock.now() + milliseconds;
    for (let turns = 0; this.clock.now() < end && isEnough?.() !== true; turns += 1) {
      if (turns > mostTurns) throw new Error("the bridge does not come to a rest");
      if (isBuilt) this.drone.work();
      await this.forgeTurn();
      const droneNext = await this.droneTurn();
      const next = Math.min(droneNext, await this.forgeTurn());
      this.clock.pass(Math.min(Math.max(next - this.clock.now(), 1), end - this.clock.now()));
    }
  }

  /** @returns the earliest next */
  async #live(lanes: readonly (() => Promise<number>)[]): Promise<number> {
    const came = await Promise.allSettled(lanes.map((turn) => turn()));
    for (const each of came) {
      if (each.status === "rejected" && !(each.reason instanceof Crash)) throw each.reason;
    }
    if (this.#life.isOver) {
      this.restart();
      return this.clock.now();
    }
    return Math.min(...came.map((each) => (each.status === "fulfilled" ? each.value : 0)));
  }

  #born() {
    const { settings, clock } = this;
    const records = this.#records;
    const life = this.#life;
    const way = { life, pause: () => this.#pause() };
    let chance = 0;
    const bridge: Bridge = {
      ...{ settings, records, self: bot, gate: life.gate, now: clock.now },
      forge: new ForgeDoor(this.forge, way),
      drone: new DroneDoor(this.drone, way),
      runs: {
        results: async (id) => this.drone.results.get(id),
        lastLines: async (id) => this.lastLines(id),
      },
      log: logTo(this.witness),
      metrics: { judged: () => undefined, ended: () => undefined },
      random: () => {
        chance = (chance + 0.37) % 1;
        return chance;
      },
      stopped: async () => this.stopped,
    };
    const box = new NudgeBox(records, () => undefined, 0);
    return { forge: new ForgeLane(bridge), drone: new DroneLane(bridge), box };
  }

  /** What a run has printed. */
  lastLines(id: string): readonly string[] {
    return this.drone.results.has(id) ? [`the end of ${id}`] : [];
  }

  async #pause(): Promise<void> {
    const [first = 0, ...rest] = this.#pauses;
    this.#pauses = [...rest, first];
    for (let turn = 0; turn < first; turn += 1) await Promise.resolve();
  }
}

const judgedSchema = z.object({ comment: z.int(), verdict: z.string() });
const endedSchema = z.object({ id: z.string(), outcome: z.string() });

/** A log that nobody reads but the witness. */
function logTo(witness: Witness): Bridge["log"] {
  return pino({
    hooks: {
      logMethod: ([what, message]: readonly unknown[]) => {
        if (message === "judged") {
          const { comment, verdict } = judgedSchema.parse(what);
          witness.judges(comment, verdict);
        }
        if (message === "ended") {
          const { id, outcome } = endedSchema.parse(what);
          witness.ends(id, outcome);
        }
      },
    },
  });
}

function settingsOf({ mode, forks, isLogPublic, isTight }: Choice): BridgeSettings {
  const limit = isTight ? 2 : 1000;
  return {
    ...{ version: 1, listen: { port: 0, metricsPort: 0 }, mode },
    forge: {
      ...{ server: "https://git.example.org", organisation, team: null, only: [] },
      ignore: ["robot"],
    },
    recipes: enrolled.map((repository) => ({
      ...{ recipe: repository.split("/")[1] ?? "", repository },
    })),
    forks,
    drone: {
      ...{ server: "https://drone.example.org", repository: "ci/cc-ci", branch: "main" },
      ...{ answerSeconds: 120, lookSeconds: 10 },
    },
    ...{ dashboard: null, isLogPublic, pollSeconds: 15, sweepSeconds: 600 },
    limits: { perPersonAndHour: limit, perPullAndHour: limit, waiting: limit },
    ...{ buildSeconds: 300, queueSeconds: 300 },
  };
}
