import type { Build } from "../../lib/drone/schemas.ts";
import type { Reaction } from "../records/answers.ts";
import type { End, Request, RequestOutcome } from "../records/requests.ts";
import type { Bridge } from "./bridge.ts";

const reactions: Readonly<Record<RequestOutcome, Reaction>> = {
  ...{ passed: "+1", failed: "-1", "timed-out": "-1" },
  ...{ cancelled: "confused", superseded: "confused", refused: "confused" },
  ...{ "not-reached": "confused", broken: "confused" },
};

/** Notes what a test came to, once, and what people are to see of that. */
export function end(bridge: Bridge, request: Request, came: End): void {
  const { records, log, metrics, now } = bridge;
  const { id, comment, repository, pull, author, head, build, acceptedAt } = request;
  const { outcome, reason } = came;
  records.together(() => {
    forgetTries(bridge, id);
    if (!records.requests.end(id, came, now())) return;
    records.answers.react(comment, repository, reactions[outcome]);
    records.answers.changed(repository, pull, now());
    const seconds = Math.round((now() - acceptedAt) / 1000);
    const what = { id, comment, repository, pull, author, head, build, outcome, reason, seconds };
    metrics.ended(outcome);
    log.info(what, "ended");
  });
}

/** The same of one that never began, or that has nothing to show. */
export function endWithout(
  bridge: Bridge,
  request: Request,
  outcome: RequestOutcome,
  reason: string | null,
): void {
  end(bridge, request, { outcome, reason, stages: [] });
}

/** And of one whose build has another commit of the CI repository than it is to have: that build tests nothing. */
export async function endOther(
  bridge: Bridge,
  request: Request,
  { number }: Pick<Build, "number">,
): Promise<void> {
  const { drone, gate, settings } = bridge;
  const { repository } = settings.drone;
  await gate.pass("build cancel", String(number), () => drone.cancel(repository, number));
  const reason = "Drone began another commit of the CI repository than it was asked for.";
  endWithout(bridge, request, "broken", reason);
}

/** What did not succeed with a test so far says nothing of it any more. */
export function forgetTries({ records }: Pick<Bridge, "records">, id: string): void {
  for (const duty of ["begin", "find", "follow"] as const) records.attempts.succeeded(duty, id);
}
