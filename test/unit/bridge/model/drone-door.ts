import type { Bridge } from "../../../../services/bridge/pipeline/bridge.ts";
import type { BuildPlace, Started } from "../../../../services/lib/drone/client.ts";
import type { Build } from "../../../../services/lib/drone/schemas.ts";
import { DroneRefusal } from "../../../../services/lib/drone/trouble.ts";
import type { RunRequest } from "../../../../services/lib/run.ts";
import type { FakeBuild, FakeDrone } from "./fake-drone.ts";
import { commitOf } from "./fake-forge.ts";
import type { Way } from "./life.ts";

/** How long Drone takes for most, in milliseconds. */
const callMilliseconds = 20;

/** How long the client waits for a start that does not come, in milliseconds; and when the build is made then. */
const late = { patience: 60_000, made: 30_000 } as const;

/** Drone, as one life of the bridge can speak to it. */
export class DroneDoor implements Pick<Bridge["drone"], keyof Bridge["drone"]> {
  readonly #drone: FakeDrone;
  readonly #way: Way;
  readonly user = notUsed;
  readonly findUser = notUsed;
  readonly createUser = notUsed;
  readonly removeUser = notUsed;
  readonly rotateToken = notUsed;
  readonly permissions = notUsed;
  readonly remoteRepositories = notUsed;
  readonly sync = notUsed;
  readonly repository = notUsed;
  readonly enable = notUsed;
  readonly own = notUsed;
  readonly change = notUsed;
  readonly log = notUsed;
  readonly takesRunners = notUsed;

  constructor(drone: FakeDrone, way: Way) {
    this.#drone = drone;
    this.#way = way;
  }

  async start({ commit }: BuildPlace, request: RunRequest): Promise<Started> {
    const { start: mood, clock } = this.#drone;
    this.#drone.start = this.#drone.usualStart;
    try {
      return await this.#call(() => this.#start(mood, commit, request));
    } catch (error) {
      // As the client has it.
      if (!(error instanceof DroneRefusal && error.wasSent)) throw error;
      if (error.trouble !== "silent" && error.trouble !== "broken") throw error;
      if (mood === "late") clock.pass(late.patience);
      return { as: "unknown", reason: error.message };
    }
  }

  #start(mood: FakeDrone["start"], commit: string, request: RunRequest): Started {
    const drone = this.#drone;
    drone.told.asks(request);
    const made = (after = commit, error = "") => shown(drone.make(after, request, error), false);
    switch (mood) {
      case "well":
        return { as: "started", build: made() };
      case "late":
        drone.clock.plan(late.patience + late.made, made);
        throw new DroneRefusal("silent", 0, "no answer within 60 s");
      case "failing-after":
        made();
        throw new DroneRefusal("silent", 500, "failed");
      case "failing-before":
        throw new DroneRefusal("silent", 500, "failed");
      case "unsent":
        throw new DroneRefusal("silent", 0, "connection refused", false);
      case "forge-silent":
      case "login-dead":
        throw new DroneRefusal(mood, 404, mood);
      case "not-triggered":
      case "config-missing":
        return { as: mood };
      case "config-wrong":
        return { as: mood, build: made(commit, "yaml: line 3: mapping values are not allowed") };
      case "other-commit":
        return { as: mood, build: made(commitOf("another")) };
    }
  }

  async buildOf(_slug: string, id: string, pages = 3): Promise<Build | undefined> {
    return await this.#call(() => {
      const newest = this.#drone.builds.slice(-100 * pages);
      const found = newest.findLast(({ params }) => params.CCCI_ID === id);
      return found === undefined ? undefined : shown(found, false);
    });
  }

  async builds(_slug: string, page = 1): Promise<readonly Build[]> {
    return await this.#call(() =>
      this.#drone.builds
        .toReversed()
        .slice((page - 1) * 100, page * 100)
        .map((build) => shown(build, false)),
    );
  }

  async build(_slug: string, number: number): Promise<Build> {
    return await this.#call(() => {
      const { unreadable } = this.#drone;
      if (unreadable.has(number)) throw new DroneRefusal("broken", 200, "another shape");
      return shown(this.#drone.numbered(number), true);
    });
  }

  async cancel(_slug: string, number: number): Promise<void> {
    await this.#call(() => {
      const build = this.#drone.numbered(number);
      if (!this.#drone.mayCancel) throw new DroneRefusal("not-allowed", 403, "Forbidden");
      this.#drone.told.cancels(build);
      this.#drone.end(build);
    });
  }

  async #call<Result>(perform: () => Result): Promise<Result> {
    const { life, pause } = this.#way;
    const { trouble, clock } = this.#drone;
    clock.pass(callMilliseconds);
    return await life.call(pause, () => {
      if (trouble.mood === "silent") throw new DroneRefusal("silent", 0, "no answer");
      if (trouble.mood === "failing") throw new DroneRefusal("broken", 500, "failed");
      if (trouble.mood === "strange") throw new DroneRefusal("broken", 200, "another shape");
      if (trouble.mood === "busy") throw new DroneRefusal("silent", 429, "not Drone answers");
      const isLost = trouble.isLost();
      const result = perform();
      if (isLost) throw new DroneRefusal("silent", 0, "the answer was cut short");
      return result;
    });
  }
}

/** As Drone tells of it: in a list, and in the answer to a start, without stages. */
function shown(build: FakeBuild, withStages: boolean): Build {
  const { number, params, after, created, status, error, started, finished, stages } = build;
  return {
    ...{ number, params, after, created, status, error, started, finished, event: "custom" },
    stages: withStages ? [...stages] : [],
  };
}

async function notUsed(): Promise<never> {
  throw new Error("this is not for the bridge");
}
