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
