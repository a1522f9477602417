import { ValueError } from "./errors.ts";
import { unwritablePart } from "./unwritable.ts";

/**
 * `text` as a value of an `.env` file, in the syntax of the Go library godotenv that the reader of
 * these files comes from: bare where every character stands for itself, else in single quotes, which
 * take everything literally, or in double ones where it has a single quote or a line break. Throws a
 * ValueError for control characters, and for an end that the reader cannot tell from its own quote.
 */
export function envValue(text: string): string {
  const part = unwritablePart(text);
  if (part !== undefined) throw new ValueError(`${part} cannot stand in an .env file`);
  if (/^[A-Za-z0-9._:/@+-]*$/.test(text)) return text;
  if (!/['\n\r]/.test(text) && !text.endsWith("\\")) return `'${text}'`;
  // The reader takes a quote after a backslash for part of the value, and drops quotes at its end.
  const end = text.at(-1);
  if (end === "\\" || end === '"') {
    const also = end === "\\" ? "" : " and has a single quote or a line break";
    throw new ValueError(
      `a value that ends in ${end}${also} cannot stand in an .env file: ${JSON.stringify(text)}`,
    );
  }
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("$", "\\$")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}

/** Whether `name` can be a variable of an `.env` file. */
export function isEnvName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
