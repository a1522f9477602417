import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inert, inertBlock, shortened } from "../../../services/bridge/words/inert.ts";
import { others, secondLook, shapeOf, tokensOf, visible, wordsOf } from "./shown.ts";

describe("text of others in a line", () => {
  const places: Readonly<Record<string, (text: string) => string>> = {
    "a paragraph": (text) => text,
    "the end of a sentence": (text) => `It waits: ${text}.`,
    "a line below another": (text) => `one\n${text}`,
    "a list item": (text) => `- ${text}`,
    "a cell": (text) => `| a | b |\n|---|---|\n| ${text} | c |`,
  };

  test.for(Object.entries(places))("is no more than words in %s", ([, place]) => {
    const shape = shapeOf(place("x"));
    fc.assert(
      fc.property(visible, (text) => {
        const page = place(inert(text));
        expect(shapeOf(page)).toEqual(shape);
        for (const pattern of Object.values(secondLook)) expect(wordsOf(page)).not.toMatch(pattern);
      }),
      { numRuns: 500 },
    );
  });

  test("is read as it was written", () => {
    const readable = fc.stringMatching(/^[!-~](?:[ -~äß€😀]{0,30}[!-~])?$/u);
    fc.assert(
      fc.property(readable, (text) => {
        const single = text.replaceAll(/ +/g, " ");
        expect(wordsOf(inert(text)).replaceAll("\u200b", "")).toBe(single);
      }),
      { numRuns: 1000 },
    );
  });

  test.for(Object.entries(secondLook))(
    "would be more with %s in it, were it let through",
    ([, pattern]) => {
      const all = ["@owner", "#1", "!1", "https://evil.example", ":smile:", "[[page]]"];
      expect(all.some((text) => pattern.test(text))).toBe(true);
    },
  );

  test.each([
    ["", ""],
    [" a\n\tb\r\n c\u2028d ", "a b c d"],
    ["@all", "&#64;\u200ball"],
    ["a | b", "a &#124; b"],
    ["`x`", "&#96;x&#96;"],
    ["<div x>", "&#60;div x&#62;"],
    ["&lt;b&gt;", "&#38;lt;b&#38;gt;"],
    ["\u001b[1;31mred\u001b[0m", "red"],
    ["a\u0000b\u0007c\u007fd\u0085e", "abcde"],
    ["a\u200bb\u202ec\u2066d\ufeffe\u061cf\u00adg\u{e0041}h", "abcdefgh"],
    ["\ud83d", "\ufffd"],
    ["😀", "😀"],
    ["#1 and !1", "&#35;\u200b1 and &#33;\u200b1"],
  ])("%j becomes %j", (text, expected) => {
    expect(inert(text)).toBe(expected);
  });
});

describe("lines of others in a block", () => {
  test("stay in one block of code, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(others, { maxLength: 8 }), (lines) => {
        const tokens = tokensOf(`before\n\n${inertBlock(lines)}\n\nafter`);
        expect(tokens.map(({ type }) => type)).toEqual([
          ...["paragraph_open", "inline", "paragraph_close", "fence"],
          ...["paragraph_open", "inline", "paragraph_close"],
        ]);
        const [fence] = tokens.filter(({ type }) => type === "fence");
        expect(fence?.info).toBe("text");
        expect(fence?.content.split("\n")).toHaveLength(lines.length === 0 ? 2 : lines.length + 1);
        expect(fence?.content).not.toMatch(/[@#!][^\u200b]/);
      }),
      { numRuns: 1000 },
    );
  });

  test("have a fence that is longer than any in them", () => {
    expect(inertBlock(["```", "a `````` b", "~~~"])).toBe(
      ["```````text", "```", "a `````` b", "~~~", "```````"].join("\n"),
    );
  });

  test("call nobody, and each stays one line", () => {
    expect(inertBlock(["\u001b[31m@all\u001b[0m said:\r50%\r100%", "  see #1"])).toBe(
      "```text\n@\u200ball said: 50% 100%\n  see #\u200b1\n```",
    );
  });
});

test.each([
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["😀😀😀", 3, "😀😀😀"],
  ["😀😀😀😀", 3, "😀😀…"],
  ["", 3, ""],
])("of %j at most %i characters are shown: %j", (text, most, expected) => {
  expect(shortened(text, most)).toBe(expected);
});
