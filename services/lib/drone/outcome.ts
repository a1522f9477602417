import type { Build } from "./schemas.ts";

type Status = Build["status"];
type Step = Build["stages"][number]["steps"][number];

/** What came of a build, or of a step of it. */
export type Outcome =
  /** Nothing yet. */
  | "going-on"
  | "passed"
  /** A command of it said so. */
  | "failed"
  /** Somebody ended it, or Drone did, which found that it waited too long or that nobody worked on it. */
  | "cancelled"
  /** The runner ended it, for the timeout of its repository was over. */
  | "timed-out"
  /** One of the two before: a build of a list has no steps that would tell, so ask for it by its number. */
  | "killed"
  /** There was nothing to run: Drone could not use its configuration, or its runner might not take it. */
  | "not-runnable"
  /** It was not its turn, or a person declined it. */
  | "skipped";

/** Statuses of builds, stages and steps that nothing more comes of. */
const final: ReadonlySet<Status> = new Set([
  ...(["success", "failure", "killed", "error", "skipped", "declined"] as const),
]);

/** What a step has for a status that was ended: nobody but Drone's server writes the one, nobody but a runner the other. */
const exitCodes = { cancelled: 130, timedOut: 137 } as const;

/** Whether nothing more comes of what has that status. */
export function isFinal(status: Status): boolean {
  return final.has(status);
}

/** What came of a build, which for one that was ended early is told by its steps. */
export function outcomeOf({ status, stages }: Pick<Build, "status" | "stages">): Outcome {
  if (status !== "killed") return byStatus(status);
  if (stages.length === 0) return "killed";
  // Drone ends a build first, and then what is in it.
  if (!stages.every((stage) => isFinal(stage.status))) return "going-on";
  const outcomes = stages.flatMap(({ steps }) => steps.map(stepOutcomeOf));
  // One that was ended before it began has no such step: only the server does that.
  return outcomes.includes("timed-out") ? "timed-out" : "cancelled";
}

/** What came of a step. One that fails by 137 was killed by somebody else, say for want of memory. */
export function stepOutcomeOf({ status, exit_code }: Pick<Step, "status" | "exit_code">): Outcome {
  if (status !== "killed") return byStatus(status);
  if (exit_code === exitCodes.timedOut) return "timed-out";
  return exit_code === exitCodes.cancelled ? "cancelled" : "killed";
}

function byStatus(status: Exclude<Status, "killed">): Outcome {
  switch (status) {
    case "blocked":
    case "waiting_on_dependencies":
    case "pending":
    case "running":
      return "going-on";
    case "success":
      return "passed";
    case "failure":
      return "failed";
    case "error":
      return "not-runnable";
    case "skipped":
    case "declined":
      return "skipped";
  }
}
