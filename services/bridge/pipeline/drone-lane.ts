import type { Build } from "../../lib/drone/schemas.ts";
import type { Request } from "../records/requests.ts";
import { type Attempted, attempt } from "./attempt.ts";
import { begin, find, searchMilliseconds } from "./begin.ts";
import type { Bridge } from "./bridge.ts";
import { follow } from "./follow.ts";
import { Turn } from "./turn.ts";

/** All that is asked of Drone. */
export class DroneLane {
  readonly #bridge: Bridge;
  #nextLook = 0;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /** One go over all that is due. @returns when the next is to be, in milliseconds since 1970 */
  async turn(): Promise<number> {
    const { records, now } = this.#bridge;
    const turn = new Turn(now() + 60_000);
    const all = records.requests.goingOn();
    const isToEnd = all.some(({ ending }) => ending !== null);
    await turn.over(
      all.filter(({ phase }) => phase !== "building"),
      (request) =>
        request.phase === "asking" ? this.#find(turn, request) : this.#begin(turn, request),
    );
    const isDue = isToEnd || now() >= this.#nextLook;
    const hasBuilds = records.requests.goingOn().some(isBuilding);
    if (hasBuilds && isDue && !turn.isOver) await this.#look(turn);
    if (hasBuilds) turn.againAt(Math.max(this.#nextLook, now()));
    return turn.next;
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
    return await attempt(this.#bridge, { duty: "find", item: request.id }, async () =>
      turn.againAt(await find(this.#bridge, request)),
    );
  }

  async #look(turn: Turn): Promise<void> {
    const { drone, records, settings, now } = this.#bridge;
    let builds: readonly Build[] | undefined;
    await turn.over(["drone"], (item) =>
      attempt(this.#bridge, { duty: "look", item }, async () => {
        builds = await drone.builds(settings.drone.repository);
      }),
    );
    this.#nextLook = now() + settings.drone.lookSeconds * 1000;
    if (builds === undefined) return;
    const found = builds;
    await turn.over(records.requests.goingOn().filter(isBuilding), (request) =>
      attempt(this.#bridge, { duty: "follow", item: request.id }, (since) =>
        follow(this.#bridge, request, found, since),
      ),
    );
  }
}

function isBuilding({ phase }: Request): boolean {
  return phase === "building";
}
