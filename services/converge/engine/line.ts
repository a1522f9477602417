export { defineLines, type Line, oneLine, Stop } from "../../lib/line.ts";

/** How a run of a piece can end. */
export type Outcome = "converged" | "failed" | "refused" | "pending";

/**
 * 0 converged · 1 failed · 2 refused: a person must decide · 75 pending: something outside of this
 * host must come first (`EX_TEMPFAIL` of sysexits.h, which the units count as success).
 */
export const exitStatus: Readonly<Record<Outcome, number>> = {
  converged: 0,
  failed: 1,
  refused: 2,
  pending: 75,
};
