/** What abra prints as `FATA …` on standard error before it ends with status 1. */
export class Fatal extends Error {
  override readonly name = "Fatal";
}
