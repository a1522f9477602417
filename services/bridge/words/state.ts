import type { Request, RequestOutcome } from "../records/requests.ts";
import { clockTime, duration } from "./duration.ts";

const outcomes: Readonly<Record<RequestOutcome, string>> = {
  passed: "✅ passed",
  failed: "❌ failed",
  cancelled: "⚪ cancelled",
  superseded: "⚪ given up for a newer request",
  "timed-out": "❌ took too long",
  "not-reached": "⚠️ never began",
  refused: "⚪ not tested",
  broken: "⚠️ could not be tested",
};

/** How far a test has come, or how it ended. */
export function state(request: Request): string {
  const { outcome, begunAt, endedAt, ending, place, queue, phase } = request;
  if (outcome !== null) {
    const time =
      begunAt === null || endedAt === null ? "" : ` after ${duration(endedAt - begunAt)}`;
    return `${outcomes[outcome]}${time}`;
  }
  if (ending !== null) return "⏹️ is being ended";
  if (begunAt !== null) return `▶️ running since ${clockTime(begunAt)}`;
  if (place !== null && queue !== null) return `🕐 queued, at place ${place} of ${queue}`;
  return phase === "building" ? "🕐 queued" : "🕐 accepted";
}
