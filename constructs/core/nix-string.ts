/** Escaping of Nix strings and names: the only place where text becomes Nix. */

import { ValueError } from "./errors.ts";

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

// Nix has no escape for them, NUL cuts a string silently, and none has a use in a unit.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Refuses what no Nix string can hold. Throws a ValueError that names the character. */
export function assertNixText(text: string): void {
  const found = unwritable.exec(text);
  if (found !== null) {
    const code = found[0].charCodeAt(0).toString(16).padStart(4, "0");
    throw new ValueError(
      `the control character U+${code} cannot stand in a Nix string: ${quoted(text)}`,
    );
  }
  if (!text.isWellFormed()) {
    throw new ValueError(`half of a surrogate pair cannot stand in a Nix string: ${quoted(text)}`);
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
