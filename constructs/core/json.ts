/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object; a member that is `undefined` is left out. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/**
 * Members sorted by name at every depth (those named by a whole number first, by its value: an object
 * of JavaScript knows no other order), two blanks of indentation, one newline at the end.
 */
export function printJson(value: Json): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

/** The same value in one line: what digests are taken of. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((name) => [name, object[name]] as const)
      .filter((member): member is readonly [string, Json] => member[1] !== undefined)
      .map(([name, member]) => [name, sorted(member)]),
  );
}
