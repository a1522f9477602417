/** One thing that is wrong, where it is wrong, and what would be right. */
export interface Problem {
  /** File with line and column, or the path of a construct. */
  readonly where: string;
  /** What is wrong and what to do instead, in one line. */
  readonly message: string;
}

/**
 * An error that a person can act on. The command line prints it without a stack and ends with exit
 * code 2; any other error is a defect of the program and keeps its stack.
 */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => `${problem.where}: ${problem.message}`).join("\n"));
    this.name = "UserError";
    this.problems = problems;
  }
}

/**
 * A value that cannot be written in the format that it is for. Whoever knows the construct turns it
 * into a {@link UserError}.
 */
export class ValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ValueError";
  }
}

/** A {@link UserError} with a single problem. */
export function userError(where: string, message: string): UserError {
  return new UserError([{ where, message }]);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The code of a system error such as `ENOENT`, or `undefined`. */
export function systemErrorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"
    ? thrown.code
    : undefined;
}
