import { stripVTControlCharacters } from "node:util";

/** Between two letters it keeps a forge from reading them together, and nobody sees it. */
const zeroWidth = "\u200B";

/**
 * Text of others as part of a line of Markdown that means nothing: it calls nobody, opens no cell, forms no markup,
 * and becomes no link, but where it is the digest of a commit there.
 */
export function inert(text: string): string {
  return plain(text)
    .replaceAll(/\s+/gu, " ")
    .trim()
    .replaceAll(/[\\`*_{}[\]<>()#+\-.!|~$&"'^=:@]/g, (sign) =>
      // A forge looks once more at what is shown, for @names, #1, !1, https://, :signs: and [[pages]].
      "@#!:[".includes(sign) ? `${entity(sign)}${zeroWidth}` : entity(sign),
    );
}

function entity(sign: string): string {
  return `&#${sign.charCodeAt(0)};`;
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

/** Without what nobody sees, or takes for orders: colours, control and direction characters, lone surrogates. */
function plain(text: string): string {
  return stripVTControlCharacters(text.toWellFormed()).replaceAll(
    /(?![\t\n\r])[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu,
    "",
  );
}
