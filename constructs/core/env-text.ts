import { ValueError } from "./errors.ts";
/**
 * `text` as a value of an `.env` file, in the syntax of the Go library godotenv that the reader of
 * these files comes from: bare where every character stands for itself, else in single quotes, which
 * take everything literally, unless the text has a quote or a line break of its own. Throws a ValueError for control characters.
 */
export function envValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  const found = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (found !== null) {
    const code = found[0].charCodeAt(0).toString(16).padStart(4, "0");
    throw new ValueError(`the control character U+${code} cannot stand in an .env file`);
  }
  if (!text.isWellFormed()) {
    throw new ValueError("half of a surrogate pair cannot stand in an .env file");
  }
  if (/^[A-Za-z0-9._:/@+-]*$/.test(text)) return text;
  if (!/['\\\n\r]/.test(text)) return `'${text}'`;
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
