import { describe, expect, test } from "vitest";
import { envValue, isEnvName } from "../../../constructs/core/env-text.ts";
import { ValueError } from "../../../constructs/core/errors.ts";
import { readEnv } from "../../property/oracles.ts";

const rows: readonly (readonly [content: string, written: string])[] = [
  ["", ""],
  ["ci.example.org", "ci.example.org"],
  ["compose.yml:compose.host.yml", "compose.yml:compose.host.yml"],
  ["wiki:@slot:recipe-version@", "wiki:@slot:recipe-version@"],
  ["a b", "'a b'"],
  [" a ", "' a '"],
  ["$HOME ${x} $(y) $", "'$HOME ${x} $(y) $'"],
  ['say "hi"', "'say \"hi\"'"],
  ["v1 # length=128", "'v1 # length=128'"],
  ["#", "'#'"],
  ["`www.example.org`", "'`www.example.org`'"],
  ["a=b", "'a=b'"],
  ["a\tb", "'a\tb'"],
  ["é😀\u00a0", "'é😀\u00a0'"],
  ["it's", '"it\'s"'],
  ["'", '"\'"'],
  ["it's $5", '"it\'s \\$5"'],
  ['it\'s "5".', '"it\'s \\"5\\"."'],
  ['"', "'\"'"],
  ["a\\b", "'a\\b'"],
  ["it's a\\b", '"it\'s a\\\\b"'],
  ["a\\nb", "'a\\nb'"],
  ["a\\nb\n", '"a\\\\nb\\n"'],
  ["a\nb", '"a\\nb"'],
  ["a\r\nb\n", '"a\\r\\nb\\n"'],
];

test.each(rows)("%j is written as %s", (content, written) => {
  expect(envValue(content)).toBe(written);
});

test("all of them are read as they went in", (context) => {
  const lines = rows.map(([, written], index) => `V${index}=${written}\n`);
  expect(readEnv(context, lines.join(""))).toEqual(
    Object.fromEntries(rows.map(([content], index) => [`V${index}`, content])),
  );
});

test("a value does not see the variables before it", (context) => {
  const text = `A=secret\nB=${envValue("it's $A ${A}")}\nC=${envValue("$A")}\n`;
  expect(readEnv(context, text)).toEqual({ A: "secret", B: "it's $A ${A}", C: "$A" });
});

describe("refuses", () => {
  test.each(["\u0000", "\u0007", "\u000b", "\u001b", "\u007f"])(
    "the control character %j",
    (text) => {
      const code = text.charCodeAt(0).toString(16).padStart(4, "0");
      expect(() => envValue(`a${text}`)).toThrow(
        new ValueError(`the control character U+${code} cannot stand in an .env file`),
      );
    },
  );

  test.each(["\\", "C:\\", "it's\\"])(
    "a backslash at the end, which would escape the quote: %j",
    (text) => {
      expect(() => envValue(text)).toThrow(
        new ValueError(
          `a value that ends in \\ cannot stand in an .env file: ${JSON.stringify(text)}`,
        ),
      );
    },
  );

  test.each(['it\'s "5"', '\n"'])("a double quote at the end of double quotes: %j", (text) => {
    expect(() => envValue(text)).toThrow(
      new ValueError(
        `a value that ends in " and has a single quote or a line break cannot stand in an .env file: ${JSON.stringify(text)}`,
      ),
    );
  });

  test("half a character", () => {
    expect(() => envValue("a\ud800")).toThrow(
      new ValueError("half of a surrogate pair cannot stand in an .env file"),
    );
  });
});

test.each(["A", "_", "a_1", "SECRET_SSL_CERT_VERSION", "toString"])(
  "%s names a variable",
  (name) => {
    expect(isEnvName(name)).toBe(true);
  },
);

test.each(["", "1A", "A-B", "A.B", "A B", "A=B", "É", "A\n", "$A", " A"])(
  "%j does not name a variable",
  (name) => {
    expect(isEnvName(name)).toBe(false);
  },
);
