import { join } from "node:path";
import * as z from "zod";
import type { Files } from "../adapters/files.ts";
import { defineLines, type Line, type Outcome } from "./line.ts";
import { stateFolder } from "./places.ts";

const version = 1;

const lastEndSchema = z.object({
  version: z.literal(version),
  outcome: z.enum(["converged", "failed", "refused", "pending"]),
  /** When a run first ended so, all later ones too; ISO 8601. */
  since: z.iso.datetime(),
  /** When the last run ended. */
  at: z.iso.datetime(),
  /** Mutating calls of the last run. */
  calls: z.int(),
  seconds: z.number(),
  /** What the last run ended with; null when it converged. */
  line: z.object({ id: z.string(), text: z.string() }).nullable(),
});

/** How the last run of a piece ended: evidence for `status`, never a reason to skip anything. */
export type LastEnd = z.infer<typeof lastEndSchema>;

export const lastEndLines = defineLines({
  "pending-too-long": {
    as: "failed",
    says: "pending since {since}, longer than {hours} hours: {text}",
  },
  "end-not-recorded": {
    as: "warning",
    says: "{path} cannot be written ({problem}): 'converge status' may go on showing an older end",
  },
});

/**
 * How long something outside of the host may be owed before that is a failure. Long enough for an
 * upstream that is down for an afternoon, short enough for somebody to hear of it the same day.
 */
const pendingHours = 6;

export function lastEndPath(piece: string): string {
  return join(stateFolder(piece), "last-end.json");
}

/** Undefined when there was no run yet, or what it left is not readable. */
export async function readLastEnd(files: Files, piece: string): Promise<LastEnd | undefined> {
  try {
    const text = await files.read(lastEndPath(piece));
    return text && lastEndSchema.parse(JSON.parse(text.toString("utf8")));
  } catch {
    return undefined;
  }
}

export interface End {
  readonly outcome: Outcome;
  readonly line: Line | null;
  readonly at: Date;
  readonly calls: number;
  readonly seconds: number;
}

/** The end as it is recorded and as it counts: who is pending for too long has failed. */
export function endAfter(previous: LastEnd | undefined, end: End): LastEnd {
  const at = end.at.toISOString();
  const goesOn =
    previous !== undefined &&
    (previous.outcome === end.outcome || isOverdue(previous, end)) &&
    // A clock that was ahead once counts no longer than until it is right.
    previous.since <= at;
  const since = goesOn ? previous.since : at;
  const seconds = Math.round(end.seconds * 10) / 10;
  const line = end.line === null ? null : { id: end.line.id, text: end.line.text };
  const record = { version, at, since, seconds, calls: end.calls, line } as const;
  const hours = (end.at.getTime() - new Date(since).getTime()) / 3_600_000;
  if (end.outcome !== "pending" || line === null || hours < pendingHours) {
    return { ...record, outcome: end.outcome };
  }
  const values = { since, hours: pendingHours, text: line.text };
  const { id, text } = lastEndLines.stop("pending-too-long", values).line;
  return { ...record, outcome: "failed", line: { id, text } };
}

/** Pending still, after it was already counted as a failure. */
function isOverdue(previous: LastEnd, end: End): boolean {
  return end.outcome === "pending" && previous.line?.id === "pending-too-long";
}
