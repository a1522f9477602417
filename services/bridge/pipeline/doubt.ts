import { isFinal } from "../../lib/drone/outcome.ts";
import type { Build } from "../../lib/drone/schemas.ts";
import type { Duty } from "../records/attempts.ts";
import type { Request } from "../records/requests.ts";
import type { Bridge } from "./bridge.ts";
import { endWithout } from "./end.ts";

/** For how long Drone may have trouble before anything follows from that, in milliseconds: it restarts now and then. */
const mostTroubleMilliseconds = 5 * 60_000;

/** What of attempts is about builds that nobody waits for, by the ids of their tests. */
export const strayDuty = "end stray" satisfies Duty;

/** Whether Drone has had trouble for too long to be waited for, by when it began. */
export function isLong({ now }: Bridge, troubledSince: number | undefined): boolean {
  return troubledSince !== undefined && now() - troubledSince >= mostTroubleMilliseconds;
}

/**
 * Ends a test of which Drone does not tell whether it has a build, or what became of that: a build that shows up later
 * is ended then.
 *
 * @param why a sentence
 */
export function endInDoubt(bridge: Bridge, request: Request, why: string): void {
  const { records } = bridge;
  const more = "A build of this may still run: it is ended as soon as Drone tells of it.";
  records.together(() => {
    records.requests.doubt(request.id);
    endWithout(bridge, request, request.ending ?? "broken", `${why} ${more}`);
  });
}

/** Builds that nobody waits for: of tests that have ended, or have another one. @param builds Drone's newest */
export function straysOf({ records }: Bridge, builds: readonly Build[]): readonly Build[] {
  const inDoubt = new Map(records.requests.inDoubt().map((request) => [request.id, request]));
  return builds.filter(({ number, params, status }) => {
    const request = inDoubt.get(params.CCCI_ID ?? "");
    if (request === undefined || isFinal(status)) return false;
    const isOther = request.build !== null && request.build !== number;
    return request.phase === "ended" || isOther;
  });
}

/**
 * Settles what is known of tests in doubt that have ended, once there are no strays of them.
 *
 * @param lookedAt when Drone was asked for its newest builds, in milliseconds since 1970
 */
export function settle(
  { records, settings }: Bridge,
  strays: readonly Build[],
  lookedAt: number,
): void {
  const ids = new Set(strays.map(({ params }) => params.CCCI_ID));
  for (const { id, phase, askedAt } of records.requests.inDoubt()) {
    const mayCome = lookedAt - (askedAt ?? 0) <= settings.drone.answerSeconds * 1000;
    if (phase !== "ended" || mayCome || ids.has(id)) continue;
    records.requests.settle(id);
    records.attempts.succeeded(strayDuty, id);
  }
}
