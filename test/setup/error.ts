/** Something that only a person can put right: one line that says what is wrong and what to do. */
export class SetupError extends Error {
  override readonly name = "SetupError";
  /** What a program said before it failed; stands above the line. */
  readonly details: string;

  constructor(message: string, details = "") {
    super(message);
    this.details = details;
  }
}
