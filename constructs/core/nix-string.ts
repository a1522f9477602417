/** Escaping of Nix strings and names: the only place where text becomes Nix. */

import { ValueError } from "./errors.ts";
import { unwritablePart } from "./unwritable.ts";

/** Keywords cannot be attribute names without quotes; `or` can, but reads badly. */
const keywords = new Set([
  "if",
  "then",
  "else",
  "assert",
  "with",
  "let",
  "in",
  "rec",
  "inherit",
  "or",
]);

const bareName = /^[A-Za-z_][A-Za-z0-9_'-]*$/;

/** Refuses what no Nix string can hold. Throws a ValueError that names it. */
export function assertNixText(text: string): void {
  const part = unwritablePart(text);
  if (part !== undefined) {
    throw new ValueError(`${part} cannot stand in a Nix string: ${quoted(text)}`);
  }
}

/** `text` as it stands between double quotes. */
export function escapeDoubleQuoted(text: string): string {
  assertNixText(text);
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("${", "\\${")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
}

/** `text` as a string in double quotes. */
export function doubleQuoted(text: string): string {
  return `"${escapeDoubleQuoted(text)}"`;
}

/**
 * The lines of `text` as they stand in an indented string, or `undefined` where an indented string
 * would not give the same value back or would need an escape that nobody can read.
 */
export function indentedLines(text: string): readonly string[] | undefined {
  assertNixText(text);
  const lines = text.split("\n");
  const severalLines = lines.length > 2 && lines.at(-1) === "" && !text.includes("\r");
  if (!severalLines) return undefined;
  const content = lines.slice(0, -1);
  // Nix strips the indentation that all lines share, counted over blanks only, and drops the blanks
  // of a line that has nothing else.
  const filled = content.filter((line) => line !== "");
  if (filled.length === 0 || filled.every((line) => line.startsWith(" "))) return undefined;
  if (content.some((line) => line !== "" && line.trim() === "")) return undefined;
  // Three quotes in a row, and one before an interpolation, read as something else after escaping.
  if (content.at(-1) === "" || /'''|'\$\{/.test(text)) return undefined;
  return content.map((line) => line.replaceAll("''", "'''").replaceAll("${", "''${"));
}

/** `name` as an attribute name: bare where that is legal, else quoted. */
export function attributeName(name: string): string {
  return bareName.test(name) && !keywords.has(name) ? name : doubleQuoted(name);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
