import fc from "fast-check";
import {
  type NixAttributes,
  type NixExpression,
  type NixValue,
  nixApply,
  nixJoin,
  nixName,
  nixPath,
} from "../../constructs/core/nix.ts";

const keywords = new Set([
  "if",
  "then",
  "else",
  "assert",
  "with",
  "let",
  "in",
  "rec",
  "inherit",
  "or",
]);

/** What has broken generators of Nix, of `.env` files and of units before. */
const nasty = [
  '"',
  "'",
  "''",
  "'''",
  "$",
  "${",
  "$${",
  "$$${",
  "\\${",
  "'${",
  "''${",
  "}",
  "\\",
  "\\n",
  "\\\\",
  "\n",
  "\n\n",
  "\n\n\n",
  "\r",
  "\r\n",
  "\t",
  " ",
  "  ",
  "\n ",
  " \n",
  "\n\t",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "é",
  "😀",
  "#",
  " #",
  "/*",
  "*/",
  "//",
  ";",
  "%",
  "$(x)",
  "`x`",
  "$HOME",
  "${HOME}",
  "=",
  "@slot:x@",
  "{{x}}",
  "export ",
  "-1",
  "true",
  "null",
  "https://a.b/c",
] as const;

/** Whether a string may go into a file at all: whole characters, and of the control ones CR, LF, TAB. */
function isWritable(text: string): boolean {
  return text.isWellFormed() && !/(?![\t\n\r\u0080-\u009f])\p{Cc}/u.test(text);
}

/** Any text that may go into a file, mostly the kind that breaks something. */
export const writableText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...nasty) },
      { weight: 2, arbitrary: fc.stringMatching(/^[a-z ]{0,8}$/) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }).filter(isWritable) },
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(""));

/** Text as it stands in files of several lines, where Nix would take its indented strings. */
const linesOfText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      writableText.map((text) => text.replaceAll(/[\r\n]/g, "")),
      fc.constantFrom("", "a", "  a", "\ta", "''", "${a}", "a ", "a\t", "' ${a}", "$", "'"),
    ),
    { minLength: 2, maxLength: 5 },
  )
  .map((lines) => `${lines.join("\n")}\n`);

const long = fc.stringMatching(/^[a-z]{20,90}$/);

export const nixString: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: writableText },
  { weight: 2, arbitrary: linesOfText },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z.-]{1,12}$/) },
  { weight: 1, arbitrary: long },
);

/** Names of members, from plain ones to those that Nix would read as something else. */
const attributeNames: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_'-]{0,9}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...keywords,
      ...["true", "null", "import", "", "a.b", "a b", "1a", "-a", "${a}", "é", "''", '"', "a\nb"],
    ),
  },
  { weight: 1, arbitrary: writableText },
);

const integers = fc.oneof(fc.integer(), fc.maxSafeInteger());

/** A value that JSON can hold too, at any depth. */
export const nixData: fc.Arbitrary<NixValue> = fc.letrec<{ value: NixValue; set: NixAttributes }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true, maxDepth: 5 },
      { weight: 4, arbitrary: nixString },
      { weight: 1, arbitrary: fc.oneof(integers, fc.boolean(), fc.constant(null)) },
      { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 4 }) },
      { weight: 3, arbitrary: tie("set") },
    ),
    set: fc.dictionary(attributeNames, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  }),
).value;

const bareName = fc.stringMatching(/^[a-z][a-zA-Z0-9_'-]{0,9}$/);

const names: fc.Arbitrary<NixExpression> = fc
  .array(
    bareName.filter((name) => !keywords.has(name)),
    { maxLength: 3 },
  )
  .map((rest) => nixName("config", ...rest));

const paths: fc.Arbitrary<NixExpression> = fc
  .oneof(fc.stringMatching(/^[a-z]{1,8}(?:\/[a-z.-]{1,30}){0,3}$/), fc.constant("a b"), long)
  .map(nixPath);

const simple = fc.oneof<fc.Arbitrary<NixValue>[]>(names, fc.boolean(), fc.nat(), bareName);

/** Values with code in them at any depth, calls of functions as options need them among them. */
export const nixCode: fc.Arbitrary<NixValue> = fc.letrec<{
  value: NixValue;
  set: NixAttributes;
  expression: NixExpression;
  call: NixExpression;
}>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true, maxDepth: 5 },
    { weight: 3, arbitrary: nixString },
    { weight: 1, arbitrary: fc.oneof(integers, fc.boolean(), fc.constant(null)) },
    { weight: 1, arbitrary: tie("expression") },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 4 }) },
    { weight: 3, arbitrary: tie("set") },
    { weight: 2, arbitrary: tie("call") },
  ),
  set: fc.dictionary(attributeNames, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  expression: fc.oneof(
    names,
    paths,
    fc
      .array(fc.oneof<fc.Arbitrary<string | NixExpression>[]>(nixString, names, paths), {
        maxLength: 4,
      })
      .map(nixJoin),
  ),
  call: fc
    .tuple(names, fc.option(simple, { nil: undefined }), tie("value"))
    .map(([operator, first, last]) =>
      first === undefined ? nixApply(operator, last) : nixApply(operator, first, last),
    ),
})).value;
