import MarkdownIt, { type Token } from "markdown-it";
import { distance } from "../../lib/distance.ts";

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

/**
 * How many letters may be wrong in a word that was meant to be ours, by the sign before it. With a slash people write
 * paths, and commands to others.
 */
const mostEdits = { "!": 2, "/": 1 } as const;

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

function readLine({ text, isPlain, plainStart }: Line): Reading {
  const words = text.split(/\s+/u);
  if (words.length > mostWords) return talk;
  if (!isPlain) {
    // An option with markup, such as `<commit>` as the help has it.
    const isMeant = plainStart.split(/\s/u)[0]?.toLowerCase() === `!${word}`;
    return isMeant ? { as: "near-miss", miss: "option" } : talk;
  }
  const [first = "", ...rest] = words.map((each) => each.toLowerCase());
  if (first !== `!${word}`) {
    const name = /^[!/]([\p{L}\p{N}_.:,;!?-]{3,})$/u.exec(first)?.[1];
    const edits = mostEdits[first.startsWith("/") ? "/" : "!"];
    const isMeant = name !== undefined && distance(name, word) <= edits;
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

/** A line of a paragraph that stands in nothing else. */
interface Line {
  readonly text: string;
  /** Whether it has no markup. */
  readonly isPlain: boolean;
  /** The text before the first markup. */
  readonly plainStart: string;
}

function standingLines(text: string): readonly Line[] {
  const lines: Line[] = [];
  let enclosed = 0;
  let before: string | undefined;
  for (const { type, level, content, children } of markdown.parse(text, {})) {
    // What a quote or a list holds open, its end closes.
    if (type === "html_block" && level === 0) enclosed = enclosedAfter(content, enclosed);
    const isStanding = type === "inline" && level === 1 && before === "paragraph_open";
    if (isStanding && enclosed === 0) lines.push(...linesOf(children ?? []));
    before = type;
  }
  return lines;
}

function linesOf(tokens: readonly Token[]): readonly Line[] {
  const lines: Line[] = [];
  let text = "";
  let plainStart = "";
  let isPlain = true;
  // A link, an emphasis or an element may go over several lines.
  let depth = 0;
  let enclosed = 0;
  const end = () => {
    const line = trimmed(text);
    if (line !== "") {
      lines.push({ text: line, isPlain, plainStart: trimmed(plainStart) });
    }
    text = "";
    plainStart = "";
    isPlain = depth === 0 && enclosed === 0;
  };
  for (const { type, content, nesting } of tokens) {
    depth += nesting;
    if (type === "html_inline") enclosed = enclosedAfter(content, enclosed);
    if (type === "softbreak" || type === "hardbreak") {
      end();
      continue;
    }
    if (type !== "text") isPlain = false;
    if (isPlain) plainStart += content;
    text += content;
  }
  end();
  return lines;
}

const unseen = /^[\s\p{Cf}]$/u;

/** Without what nobody sees before and after it, such as what is copied along. */
function trimmed(text: string): string {
  const signs = [...text];
  const isSeen = (sign: string) => !unseen.test(sign);
  return signs
    .slice(Math.max(0, signs.findIndex(isSeen)), signs.findLastIndex(isSeen) + 1)
    .join("");
}

const comment = /<!--[\s\S]*?(?:-->|$)/g;

/** Elements of HTML that show text as an example, as somebody else's word, as no more true, or not at once. */
const enclosing =
  /<(\/?)(?:blockquote|code|del|details|dl|h[1-6]|kbd|ol|pre|q|s|samp|strike|table|tt|ul|var)(?![\w-])[^>]*>/gi;

/** In how many of these elements the text after a piece of HTML is. */
function enclosedAfter(html: string, before: number): number {
  const tags = html.replaceAll(comment, "").matchAll(enclosing);
  return [...tags].reduce((depth, [, end]) => Math.max(0, depth + (end === "" ? 1 : -1)), before);
}
