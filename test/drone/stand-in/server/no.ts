/** An answer that says no: the words that Drone gives are all that tells one from another. */
export class No extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the database says of what is not in it. */
export const noRows = "sql: no rows in result set";

export const notFound = new No(404, "Not Found");
export const unauthorized = new No(401, "Unauthorized");
export const forbidden = new No(403, "Forbidden");
