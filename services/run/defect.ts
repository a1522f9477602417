import { defineLines, type Stop } from "../lib/line.ts";

export const defectLines = defineLines({
  "run-defect": {
    as: "failed",
    says: "unexpected: {problem}: see whether the disk is full or unwell; if not, this is a defect, please report it with the lines below",
  },
});

/** What nobody had a line for, as a line. */
export function defectOf(error: unknown): Stop {
  const problem = problemIn(error);
  const details = error instanceof Error ? (error.stack ?? "") : "";
  return defectLines.stop("run-defect", { problem }, details);
}

export function problemIn(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
