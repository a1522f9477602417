import { stripVTControlCharacters } from "node:util";

/** Between two letters it keeps a forge from reading them together, and nobody sees it. */
const zeroWidth = "\u200B";

/**
 * Text of others as part of a line of Markdown that means nothing: it calls nobody, refers to nothing, opens no
 * cell and forms no markup.
 */
export function inert(text: string): string {
  return plain(text)
    .replaceAll(/\s+/gu, " ")
    .trim()
    .replaceAll(/[\\`*_{}[\]<>()#+\-.!|~$&"'^=:]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replaceAll("@", `&#64;${zeroWidth}`);
}

/** Lines of others as a block of code, in which nothing means anything. */
export function inertBlock(lines: readonly string[]): string {
  const clean = lines.map((line) =>
    plain(line)
      .replaceAll(/[\r\n]+/g, " ")
      .replaceAll(/(?<=[@#!])/g, zeroWidth),
  );
  const longest = Math.max(2, ...clean.flatMap((line) => line.match(/`+/g) ?? []).map(lengthOf));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${clean.join("\n")}\n${fence}`;
}

/** Of at most so many characters, with a word that it was cut. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

function lengthOf({ length }: string): number {
  return length;
}

/** Without what a terminal or a page takes for orders: colours, control and direction characters, lone surrogates. */
function plain(text: string): string {
  return stripVTControlCharacters(text.toWellFormed()).replaceAll(
    /(?![\t\n\r])[\p{Cc}\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu,
    "",
  );
}
