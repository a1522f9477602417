/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object; a member that is `undefined` is left out. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** The same value in one line, members sorted: what digests are taken of. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

/**
 * The same value with the members of every object sorted by name (those named by a whole number
 * first, by its value: an object of JavaScript knows no other order).
 */
export function sorted<Value extends Json>(value: Value): Value;
export function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((element: Json) => sorted(element));
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  const members: [string, Json][] = [];
  for (const name of Object.keys(object).sort()) {
    const member = object[name];
    if (member !== undefined) members.push([name, sorted(member)]);
  }
  return Object.fromEntries(members);
}
