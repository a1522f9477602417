import fc from "fast-check";
import { expect, test } from "vitest";
import { readComment } from "../../services/bridge/words/command.ts";
import { writableText } from "./arbitraries.ts";

const commit = fc.stringMatching(/^[0-9a-f]{40}$/);

const command = fc.oneof(
  fc.constantFrom("!testme", "!testme --quick", "!testme cancel", "!testme status", "!testme help"),
  fc.constantFrom("!TESTME", "  !testme", "!testme\t--quick"),
  commit.map((each) => `!testme ${each}`),
  commit.map((each) => `!testme --quick ${each}`),
);

/** Words that mean nothing in Markdown. */
const words = fc
  .array(fc.stringMatching(/^[a-z]{1,9}[.,?]?$/), { minLength: 1, maxLength: 12 })
  .map((all) => all.join(" "));

const paragraph = fc.array(words, { minLength: 1, maxLength: 4 }).map((lines) => lines.join("\n"));

/** Pieces that Markdown is made of, in any order. */
const markdown = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...["`", "```", "~~~", "> ", "- ", "1. ", "# ", "===", "---", "|", "|---|", "    ", "\t"],
        ...["<!--", "-->", "<details>", "</details>", "<div>", "<pre>", "</pre>", "<a href='x'>"],
        ...[
          "*",
          "**",
          "_",
          "~~",
          "[",
          "](",
          ")",
          "![",
          "]: ",
          "<",
          ">",
          "\\",
          "&",
          "&#33;",
          "&#0;",
        ],
        ...["\n", "\n\n", "\r\n", "\r", " ", "  \n", "\u00a0", "\u200b", "\u2028", "\0", "\x1b"],
        ...["!testme", "!testme --quick", "!tsetme", "cancel", "/testme", "\ud83d", "\ude00", "😀"],
      ),
      writableText,
      fc.string({ unit: "binary", maxLength: 8 }),
    ),
    { maxLength: 60, size: "max" },
  )
  .map((parts) => parts.join(""));

/** UTF-16 of any kind, halves of characters too. */
const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
  .map((all) => String.fromCharCode(...all));

test("any text at all is read, and as one of the things that there are", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        markdown,
        units,
        fc.tuple(units, command).map(([text, word]) => text + word),
      ),
      (text) => {
        expect(["command", "near-miss", "talk"]).toContain(readComment(text).as);
      },
    ),
    { numRuns: 3000 },
  );
});

test("a command stays one beside paragraphs of words", () => {
  const beside = fc.tuple(
    fc.array(paragraph, { maxLength: 3 }),
    command,
    fc.array(paragraph, { maxLength: 3 }),
  );
  const ends = fc.constantFrom("\n\n", "\r\n\r\n", "\n \n", "\n\n\n\n");
  fc.assert(
    fc.property(beside, ends, ([before, text, after], end) => {
      const alone = readComment(text);
      expect(alone.as).toBe("command");
      expect(readComment([...before, text, ...after].join(end))).toEqual(alone);
    }),
    { numRuns: 1000 },
  );
});

const wrappings: Readonly<Record<string, (text: string) => string>> = {
  "a fence": (text) => `\`\`\`\n${text}\n\`\`\``,
  "a fence of tildes": (text) => `~~~text\n${text}\n~~~`,
  "a fence that nobody closed": (text) => `\`\`\`\n${text}`,
  "a code span": (text) => `\`\`${text}\`\``,
  "indented code": (text) => text.replaceAll(/^/gm, "    "),
  "a quote": (text) => text.replaceAll(/^/gm, "> "),
  "the first lines of a quote": (text) => `> Somebody said:\n${text}`,
  "a list": (text) => `- one\n\n${text.replaceAll(/^/gm, "  ")}`,
  "a heading": (text) => `${text}\n===`,
  "a comment of HTML": (text) => `<!-- ${text} -->`,
  "a comment of HTML over several lines": (text) => `<!--\n\n${text}\n\n-->`,
  "a comment of HTML within a paragraph": (text) => `Text <!--\n${text}\n-->`,
  "what is folded": (text) => `<details>\n\n${text}\n\n</details>`,
  "preformatted text": (text) => `<pre>\n${text}\n</pre>`,
};

test.for(Object.entries(wrappings))("no command comes out of %s", ([, wrap]) => {
  // Given a command beside words, where there is one
  const text = fc
    .tuple(fc.constantFrom("", "one two\n"), command, fc.constantFrom("", "\nthree"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (inner) => {
      expect(readComment(inner).as).toBe("command");
      // When it is wrapped, then there is none
      expect(readComment(wrap(inner)).as).not.toBe("command");
    }),
    { numRuns: 300 },
  );
});

test("no command comes out of what a command and its wrapping are made of", () => {
  // Given any pieces of Markdown in a fence that is longer than all in it
  fc.assert(
    fc.property(markdown, (text) => {
      const fenced = `${"~".repeat(400)}\n${text.replaceAll("~", "-")}\n!testme`;
      expect(readComment(fenced)).toEqual({ as: "talk" });
    }),
    { numRuns: 1000 },
  );
});

const hostile = [
  ...["[", "]", "![", "](", "[a](", "[a]: ", "`", "*", "**a", "_", "~~", "<", "<a ", "<!--", "<?"],
  ...["&", "&#", "\\", "> ", ">", "- ", "  - ", "1. ", "#", "|", "a|", "|-", "\n", "\t", "    "],
  ...["<details>", "</details>", "<code", "*a_", "[[]]", "`` ` ", "(", "<b><i>", "a*", "!testme "],
  ...[
    "!testme\n",
    "- !testme\n",
    "> a\n!testme\n",
    "a\n===\n",
    "| a |\n|---|\n",
    "\u200b",
    "\ufeff",
  ],
  ...["&nbsp;", "\ud83d", "\0", " \n", "  \n", "\\\n", "<!-- -->", "[^1]: ", "$$", "http://a.b"],
];

test.for(hostile)("4 KiB of %j come to an end", (piece) => {
  const bytes = Buffer.byteLength(piece);
  const text = `${piece.repeat(Math.floor(4087 / bytes))}\n!testme`;
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
  expect(readComment(text)).toHaveProperty("as");
});

test("4 KiB of any few pieces, again and again, come to an end", () => {
  const pieces = fc.array(fc.constantFrom(...hostile), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(pieces, (all) => {
      const piece = all.join("");
      const text = piece.repeat(Math.floor(4087 / Buffer.byteLength(piece)));
      expect(readComment(`${text}\n!testme`)).toHaveProperty("as");
    }),
    { numRuns: 200 },
  );
});
