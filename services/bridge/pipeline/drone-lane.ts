import type { Build } from "../../lib/drone/schemas.ts";
import { type Attempted, attempt } from "../pacing/attempt.ts";
import { isDue } from "../pacing/due.ts";
import { Turn } from "../pacing/turn.ts";
import type { Request } from "../records/requests.ts";
import { begin, find, searchMilliseconds } from "./begin.ts";
import type { Bridge } from "./bridge.ts";
import { endInDoubt, settle, strayDuty, straysOf } from "./doubt.ts";
import { endWithout } from "./end.ts";
import { endOverdue, follow } from "./follow.ts";

/** All that is asked of Drone. */
export class DroneLane {
  readonly #bridge: Bridge;
  #nextLook = 0;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /** One go over all that is due. @returns when the next is to be, in milliseconds since 1970 */
  async turn(): Promise<number> {
    const { records, settings, now } = this.#bridge;
    const turn = new Turn(now() + 60_000);
    this.#endAtOnce();
    const all = records.requests.goingOn();
    const isToEnd = all.some(({ ending }) => ending !== null);
    await turn.over(
      all.filter(({ phase }) => phase !== "building"),
      (request) =>
        request.phase === "asking" ? this.#find(turn, request) : this.#begin(turn, request),
    );
    const isToLook = isToEnd || isDue(this.#nextLook, now(), settings.drone.lookSeconds * 1000);
    const hasBuilds = this.#hasBuilds();
    if (hasBuilds && isToLook && !turn.isOver) await this.#look(turn);
    if (hasBuilds) turn.againAt(Math.max(this.#nextLook, now()));
    return turn.next;
  }

  /** What is to be ended and has no build waits for nothing, nor for a Drone that does not tell of one. */
  #endAtOnce(): void {
    const { records } = this.#bridge;
    for (const request of records.requests.goingOn()) {
      const { id, ending, phase } = request;
      if (ending === null) continue;
      if (phase === "accepted") endWithout(this.#bridge, request, ending, null);
      const trouble = records.attempts.find("find", id)?.trouble;
      if (phase === "asking" && trouble !== undefined) {
        const why = `Drone does not say whether it began a build: ${trouble}.`;
        endInDoubt(this.#bridge, request, why);
      }
    }
  }

  async #begin(turn: Turn, request: Request): Promise<Attempted> {
    const { records, now } = this.#bridge;
    const { id } = request;
    const came = await attempt(this.#bridge, { duty: "begin", item: id }, async () =>
      turn.againAt(await begin(this.#bridge, request)),
    );
    // However long it is until Drone is asked again.
    if (records.requests.find(id)?.phase === "asking") turn.againAt(now() + searchMilliseconds);
    return came;
  }

  /** Apart from the other, whose trouble is not over by that. */
  async #find(turn: Turn, request: Request): Promise<Attempted> {
    return await attempt(this.#bridge, { duty: "find", item: request.id }, async (since) =>
      turn.againAt(await find(this.#bridge, request, since)),
    );
  }

  /** Whether there are builds, or may be, that something is to be done about. */
  #hasBuilds(): boolean {
    const { requests } = this.#bridge.records;
    return requests.goingOn().some(isBuilding) || requests.inDoubt().length > 0;
  }

  async #look(turn: Turn): Promise<void> {
    const { drone, records, settings, now } = this.#bridge;
    const lookedAt = now();
    let builds: readonly Build[] | undefined;
    await turn.over(["drone"], (item) =>
      attempt(this.#bridge, { duty: "look", item }, async (since) => {
        try {
          builds = await drone.builds(settings.drone.repository);
        } catch (error) {
          for (const request of records.requests.goingOn().filter(isBuilding)) {
            endOverdue(this.#bridge, request, error, since);
          }
          throw error;
        }
      }),
    );
    this.#nextLook = now() + settings.drone.lookSeconds * 1000;
    if (builds === undefined) return;
    const found = builds;
    await this.#endStrays(turn, found, lookedAt);
    await turn.over(records.requests.goingOn().filter(isBuilding), (request) =>
      attempt(this.#bridge, { duty: "follow", item: request.id }, (since) =>
        follow(this.#bridge, request, found, since),
      ),
    );
  }

  async #endStrays(turn: Turn, builds: readonly Build[], lookedAt: number): Promise<void> {
    const { drone, gate, settings } = this.#bridge;
    const { repository } = settings.drone;
    let left = straysOf(this.#bridge, builds);
    await turn.over(left, ({ number, params }) =>
      attempt(this.#bridge, { duty: strayDuty, item: params.CCCI_ID ?? "" }, async () => {
        await gate.pass("build cancel", String(number), () => drone.cancel(repository, number));
        left = left.filter((each) => each.number !== number);
      }),
    );
    settle(this.#bridge, left, lookedAt);
  }
}

function isBuilding({ phase }: Request): boolean {
  return phase === "building";
}
