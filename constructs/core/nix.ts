/**
 * Nix values as data. Plain strings, numbers, booleans, null, arrays and records stand for
 * themselves; everything that is code is one of the tagged expressions below, so that a plain
 * string can never become code. `nix-printer.ts` is the one place that turns values into text.
 */

const brand: unique symbol = Symbol("nix expression");

interface Expression<Kind extends string> {
  readonly [brand]: true;
  readonly kind: Kind;
}

interface PathExpression extends Expression<"path"> {
  readonly path: string;
}

interface NameExpression extends Expression<"name"> {
  readonly path: readonly string[];
}

interface ApplicationExpression extends Expression<"application"> {
  readonly operator: NixExpression;
  readonly operands: readonly NixValue[];
}

interface TextExpression extends Expression<"text"> {
  readonly parts: readonly (string | NixExpression)[];
}

/** A piece of Nix code. Made by the functions of this file only. */
export type NixExpression =
  | PathExpression
  | NameExpression
  | ApplicationExpression
  | TextExpression;

/** An attribute set; a member that is `undefined` is left out. */
export interface NixAttributes {
  readonly [name: string]: NixValue | undefined;
}

/** Anything that can stand on the right of a Nix binding. */
export type NixValue =
  | string
  | number
  | boolean
  | null
  | readonly NixValue[]
  | NixAttributes
  | NixExpression;

/** A path relative to the file that holds it, printed as `./<path>`. */
export function nixPath(path: string): NixExpression {
  return { [brand]: true, kind: "path", path };
}

/** A name in scope with the attributes selected from it, as in `config.networking.hostName`. */
export function nixName(...path: readonly [string, ...string[]]): NixExpression {
  return { [brand]: true, kind: "name", path };
}

/** A function applied to its arguments, as in `lib.mkForce [ ]`. */
export function nixApply(
  operator: NixExpression,
  ...operands: readonly [NixValue, ...NixValue[]]
): NixExpression {
  return { [brand]: true, kind: "application", operator, operands };
}

/**
 * A string with values put into it, as a tagged template: `` nixText`${converge} apply` ``. What
 * stands between the values is text and is escaped; an embedded plain string is text too.
 */
export function nixText(
  strings: TemplateStringsArray,
  ...values: readonly (string | NixExpression)[]
): NixExpression {
  const parts: (string | NixExpression)[] = [];
  strings.forEach((text, index) => {
    parts.push(text);
    const value = values[index];
    if (value !== undefined) parts.push(value);
  });
  return nixJoin(parts);
}

/** The parts one after the other as one string; plain strings that meet are merged. */
export function nixJoin(parts: readonly (string | NixExpression)[]): NixExpression {
  const merged: (string | NixExpression)[] = [];
  const flat = parts.flatMap((part) =>
    typeof part !== "string" && part.kind === "text" ? part.parts : [part],
  );
  for (const part of flat) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string")
      merged[merged.length - 1] = last + part;
    else if (part !== "") merged.push(part);
  }
  return { [brand]: true, kind: "text", parts: merged };
}

/** Tells code from data. */
export function isNixExpression(value: unknown): value is NixExpression {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * Lays `over` on `base` as an operator expects of an override: sets are merged member by member,
 * anything else (lists too) is replaced, and `null` takes a member away.
 */
export function mergeAttributes(base: NixAttributes, over: NixAttributes): NixAttributes {
  // A map, since a plain object would take a member called `__proto__` for its prototype.
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    const before = merged.get(name);
    if (value === undefined) continue;
    if (value === null) merged.delete(name);
    else {
      const both = isAttributes(before) && isAttributes(value);
      merged.set(name, both ? mergeAttributes(before, value) : value);
    }
  }
  return Object.fromEntries(merged);
}

/** Tells an attribute set from every other value. */
export function isAttributes(value: NixValue | undefined): value is NixAttributes {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isNixExpression(value)
  );
}
