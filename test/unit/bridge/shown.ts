import fc from "fast-check";
import MarkdownIt, { type Token } from "markdown-it";
import { writableText } from "../../property/arbitraries.ts";

/** Takes all that it can for markup. */
const markdown = new MarkdownIt({ html: true, linkify: true, breaks: true });

/** What a Gitea 1.26 makes something of in text that is shown already, so that no escape helps. */
export const secondLook = {
  "a name": /@[\p{L}\p{N}_.-]/u,
  "an issue or a pull request": /[#!]\d/,
  "an address": /(?:https?|mailto):[\p{L}\p{N}/]/iu,
  "a sign": /:[\w+-]+:/,
  "a page": /\[\[/,
};

/** Text of others of the worst kind. */
export const others = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          "@owner",
          "@org/team",
          "#1",
          "!1",
          "a/b#1",
          "https://evil.example/x",
          "www.evil.example",
        ],
        ...[
          "a@evil.example",
          ":smile:",
          "[[page]]",
          "[a](b)",
          "![a](b)",
          "<b>",
          "<div ",
          "</td>",
          "<!--",
        ],
        ...["-->", "|", "\n|---|\n", "\r\n\r\n", "`", "```", "~~~", "**a**", "_a_", "~~a~~", "\\"],
        ...[
          "# ",
          "> ",
          "- ",
          "1. ",
          "1) ",
          "+ ",
          "    ",
          "\t",
          "\n===\n",
          "\n---\n",
          "&lt;",
          "&#64;",
        ],
        ...[
          "\\|",
          "$x$",
          "\\(x\\)",
          "\u001b[31m",
          "\u001b]8;;https://evil.example\u0007",
          "\u0000",
        ],
        ...[
          "\u200b",
          "\u202e",
          "\u2066",
          "\u061c",
          "\u00ad",
          "\u2028",
          "\u00a0",
          "\ud83d",
          "\ude00",
        ],
        ...[
          "!testme",
          "<https://evil.example>",
          "javascript:alert(1)",
          "[a]: b",
          "[^1]",
          "==a==",
          "'\"",
        ],
      ),
      writableText,
      fc.string({ unit: "binary", maxLength: 6 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** The same with a letter in it, so that there is always something to see. */
export const visible = fc.tuple(others, others).map((parts) => parts.join("x"));

export const tokensOf = (text: string): readonly Token[] => markdown.parse(text, {});

/** What a page is made of, without its words. */
export function shapeOf(text: string): readonly string[] {
  const isWord = ({ type }: Token) => type === "text" || type === "text_special";
  return tokensOf(text).flatMap((token) => [
    token.type,
    ...(token.children ?? []).filter((child) => !isWord(child)).map(({ type }) => type),
  ]);
}

/** The words that are seen. */
export function wordsOf(text: string): string {
  return tokensOf(text)
    .flatMap(({ children }) => children ?? [])
    .map(({ content }) => content)
    .join("");
}
