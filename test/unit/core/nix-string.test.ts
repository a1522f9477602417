import { describe, expect, test } from "vitest";
import { ValueError } from "../../../constructs/core/errors.ts";
import {
  assertNixText,
  attributeName,
  doubleQuoted,
  indentedLines,
} from "../../../constructs/core/nix-string.ts";
import { evaluateNix } from "../../property/oracles.ts";

/** What goes in, and the Nix that it must be written as. */
type Row = readonly [content: string, written: string];

describe("a string in double quotes", () => {
  const rows: readonly Row[] = [
    ["", '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["${x}", '"\\${x}"'],
    ["$${x}", '"$\\${x}"'],
    ["$$${x}", '"$$\\${x}"'],
    ["\\${x}", '"\\\\\\${x}"'],
    ["$HOME $(x) $", '"$HOME $(x) $"'],
    ["$", '"$"'],
    ["''", "\"''\""],
    ["'${x}", '"\'\\${x}"'],
    ["\r\n", '"\\r\\n"'],
    ["\r", '"\\r"'],
    ["a\tb", '"a\\tb"'],
    ["\\n", '"\\\\n"'],
    ["\\u0041", '"\\\\u0041"'],
    ["https://a.b/c", '"https://a.b/c"'],
    ["*/ /* # //", '"*/ /* # //"'],
    ["\ufeffé😀\u2028\u0085", '"\ufeffé😀\u2028\u0085"'],
    ["@slot:x@ {{y}} %n", '"@slot:x@ {{y}} %n"'],
  ];

  test.each(rows)("%j is written as %s", (content, written) => {
    expect(doubleQuoted(content)).toBe(written);
  });

  test("is read by Nix as it went in", (context) => {
    const list = rows.map(([, written]) => written).join(" ");
    expect(evaluateNix(context, `[ ${list} ]`)).toEqual(rows.map(([content]) => content));
  });
});

describe("an indented string", () => {
  const rows: readonly Row[] = [
    ["a\nb\n", "a\nb"],
    ["${x}\nb\n", "''${x}\nb"],
    ["$${x}\nb\n", "$''${x}\nb"],
    ["''\nb\n", "'''\nb"],
    ['a\\n"b"\nc\n', 'a\\n"b"\nc'],
    ["\\${x}\nb\n", "\\''${x}\nb"],
    ["a\n\tb\n", "a\n\tb"],
    ["\ta\n\tb\n", "\ta\n\tb"],
    ["a\n  b\n", "a\n  b"],
    ["a \nb\t\n", "a \nb\t"],
    ["a\n\nb\n", "a\n\nb"],
    ["\na\n", "\na"],
    ["a'\nb'\n", "a'\nb'"],
  ];

  test.each(rows)("%j is written with the lines of %j", (content, lines) => {
    expect(indentedLines(content)).toEqual(lines.split("\n"));
  });

  test("is read by Nix as it went in", (context) => {
    const list = rows.map(([, lines]) => {
      const indented = lines.split("\n").map((line) => (line === "" ? "" : `    ${line}`));
      return `''\n${indented.join("\n")}\n  ''`;
    });
    expect(evaluateNix(context, `[ ${list.join(" ")} ]`)).toEqual(rows.map(([content]) => content));
  });

  test.each([
    ["one line", "a\n"],
    ["no newline at the end", "a\nb"],
    ["a carriage return", "a\r\nb\r\n"],
    ["a blank at the start of every line", " a\n b\n"],
    ["a line of blanks", "a\n  \nb\n"],
    ["an empty line at the end", "a\nb\n\n"],
    ["a quote before an interpolation", "'${x}\nb\n"],
    ["three quotes", "'''\nb\n"],
    ["nothing but newlines", "\n\n"],
    ["nothing", ""],
  ])("is not taken for text with %s", (_, text) => {
    expect(indentedLines(text)).toBeUndefined();
  });
});

describe("an attribute name", () => {
  const rows: readonly Row[] = [
    ["a", "a"],
    ["_a'-9", "_a'-9"],
    ["a-b", "a-b"],
    ["true", "true"],
    ["null", "null"],
    ["import", "import"],
    ...["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or"].map(
      (keyword): Row => [keyword, `"${keyword}"`],
    ),
    ["", '""'],
    ["a.b", '"a.b"'],
    ["a b", '"a b"'],
    ["é", '"é"'],
    ["1a", '"1a"'],
    ["-a", '"-a"'],
    ["'a", '"\'a"'],
    ["${a}", '"\\${a}"'],
    ["''", "\"''\""],
    ['"', '"\\""'],
    ["a\n", '"a\\n"'],
  ];

  test.each(rows)("%j is written as %s", (name, written) => {
    expect(attributeName(name)).toBe(written);
  });

  test("is read by Nix as it went in", (context) => {
    const sets = rows.map(([, written], index) => `{ ${written} = ${index}; }`).join(" ");
    expect(evaluateNix(context, `[ ${sets} ]`)).toEqual(
      rows.map(([name], index) => ({ [name]: index })),
    );
  });
});

test.each([
  ["\u0000", "U+0000"],
  ["a\u0001", "U+0001"],
  ["\u0008", "U+0008"],
  ["\u000b", "U+000b"],
  ["\u000c", "U+000c"],
  ["\u001b[1m", "U+001b"],
  ["\u001f", "U+001f"],
  ["\u007f", "U+007f"],
])("the control character in %j is refused by its number", (text, number) => {
  expect(() => assertNixText(text)).toThrow(
    new ValueError(
      `the control character ${number} cannot stand in a Nix string: ${JSON.stringify(text)}`,
    ),
  );
});

test.each(["\ud800", "a\udc00b", "\udc00\ud800"])("half a character is refused: %j", (text) => {
  expect(() => doubleQuoted(text)).toThrow(ValueError);
  expect(() => doubleQuoted(text)).toThrow("half of a surrogate pair");
});

test("a long text is cut in the error about it", () => {
  expect(() => assertNixText(`\u0000${"a".repeat(100)}`)).toThrow(/: ".{60,70}…"$/);
});
