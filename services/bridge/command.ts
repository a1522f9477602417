import MarkdownIt, { type Token } from "markdown-it";
import { distance } from "../lib/distance.ts";

/** What somebody may ask for on a pull request. */
export type Command =
  | {
      readonly name: "test";
      /** Without the slow stages. */
      readonly quick: boolean;
      /** The commit that must be the head, all 40 digits; null for whatever it is. */
      readonly commit: string | null;
    }
  | { readonly name: "cancel" | "status" | "help" };

/** What a comment says to us. */
export type Reading =
  | { readonly as: "command"; readonly command: Command }
  /** It was meant for us, and cannot be followed. */
  | { readonly as: "near-miss"; readonly miss: NearMiss }
  /** It is not for us. */
  | { readonly as: "talk" };

export type NearMiss =
  /** The word is almost the one. */
  | "word"
  /** The word is right, and what follows is not known. */
  | "option"
  /** A commit with fewer digits than all. */
  | "short-commit"
  /** Several commands that do not say the same. */
  | "several";

/** Longer comments are talk: nobody needs 4 KiB to write a command. */
const mostBytes = 4096;

/** A line of more words than that is a sentence. */
const mostWords = 3;

/** How many letters may be wrong in a word that was meant to be ours. */
const mostEdits = 2;

const word = "testme";

/**
 * Reads a comment, which anybody may have written. A command stands alone on a line of a paragraph: not in code,
 * a quote, a list, a heading or a comment of HTML, which would show it to nobody or as somebody else's word.
 */
export function readComment(text: string): Reading {
  if (Buffer.byteLength(text) > mostBytes || !/[!/]/.test(text)) return talk;
  const readings = standingLines(text).map(readLine);
  const commands = new Map(
    readings.flatMap((reading) =>
      reading.as === "command" ? [[JSON.stringify(reading.command), reading] as const] : [],
    ),
  );
  if (commands.size > 1) return { as: "near-miss", miss: "several" };
  const [command] = commands.values();
  return command ?? readings.find(({ as }) => as === "near-miss") ?? talk;
}

const talk: Reading = { as: "talk" };

function readLine(line: string): Reading {
  const words = line.split(/\s+/u);
  if (words.length > mostWords) return talk;
  const [first = "", ...rest] = words.map((each) => each.toLowerCase());
  if (first !== `!${word}`) {
    const name = /^[!/]([\p{L}\p{N}_.:,;!?-]{3,})$/u.exec(first)?.[1];
    const isMeant = name !== undefined && distance(name, word) <= mostEdits;
    return isMeant ? { as: "near-miss", miss: "word" } : talk;
  }
  return readOptions(rest);
}

function readOptions(options: readonly string[]): Reading {
  const [only, ...others] = options;
  const isAlone = others.length === 0;
  if (isAlone && (only === "cancel" || only === "status" || only === "help")) {
    return { as: "command", command: { name: only } };
  }
  let quick = false;
  let commit: string | null = null;
  for (const option of options) {
    if (option === "--quick" && !quick) quick = true;
    else if (/^[0-9a-f]{40}$/.test(option) && commit === null) commit = option;
    else if (/^[0-9a-f]{7,39}$/.test(option)) return { as: "near-miss", miss: "short-commit" };
    else return { as: "near-miss", miss: "option" };
  }
  return { as: "command", command: { name: "test", quick, commit } };
}

const markdown = new MarkdownIt({ html: true, linkify: false });
// It would join what was escaped with the text around it.
markdown.disable("text_join");

/** Lines of plain text, each of a paragraph that stands in nothing else. */
function standingLines(text: string): readonly string[] {
  const tokens = markdown.parse(text, {});
  return tokens.flatMap((token, index) => {
    const isStanding = token.level === 1 && tokens[index - 1]?.type === "paragraph_open";
    return token.type === "inline" && isStanding ? plainLines(token.children ?? []) : [];
  });
}

function plainLines(tokens: readonly Token[]): readonly string[] {
  const lines: string[] = [];
  let text = "";
  let isPlain = true;
  // A link or an emphasis may go over several lines.
  let depth = 0;
  const end = () => {
    if (isPlain && text.trim() !== "") lines.push(text.trim());
    text = "";
    isPlain = depth === 0;
  };
  for (const { type, content, nesting } of tokens) {
    depth += nesting;
    if (type === "softbreak" || type === "hardbreak") end();
    else if (type === "text") text += content;
    else isPlain = false;
  }
  end();
  return lines;
}
