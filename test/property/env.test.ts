import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTemplates } from "../../constructs/core/checkout.ts";
import { envValue, isEnvName } from "../../constructs/core/env-text.ts";
import { Templates } from "../../constructs/core/template.ts";
import { slotsInText, textSlot } from "../../constructs/nixos/slots.ts";
import { writableText } from "./arbitraries.ts";
import { readEnv } from "./oracles.ts";

const templates = new Templates(readTemplates(join(import.meta.dirname, "../../templates")));

interface Variable {
  readonly name: string;
  readonly value: string;
}

const variableName = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/),
  fc.constantFrom("export", "exported", "EXPORT", "constructor", "toString"),
);

/** Whether no end of the text stops it from being quoted. */
const isReadable = (value: string): boolean => !/\\$|['\n\r][\s\S]*"$/.test(value);

const variables = (value: fc.Arbitrary<string>): fc.Arbitrary<Variable[]> =>
  fc.uniqueArray(fc.record({ name: variableName, value }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 300,
    size: "max",
  });

const asObject = (list: readonly Variable[]): Record<string, string> =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

test("any text comes out of the file that the template makes as it went in", (context) => {
  fc.assert(
    fc.property(variables(writableText.filter(isReadable)), (list) => {
      expect(list.map(({ name }) => name)).toSatisfy((names: string[]) => names.every(isEnvName));
      const text = templates.render("coop-cloud/app.env", { variables: list });
      expect(readEnv(context, text)).toEqual(asObject(list));
    }),
    { numRuns: 10, endOnFailure: true },
  );
});

test("text is refused for its end alone, and only where the reader would misread it", () => {
  fc.assert(
    fc.property(writableText, (value) => {
      if (isReadable(value)) expect(envValue(value)).toContain("");
      else expect(() => envValue(value)).toThrow(/^a value that ends in ["\\]/);
    }),
    { numRuns: 2000 },
  );
});

test("a slot is found in what was written, and is filled in without a change to the rest", (context) => {
  const withSlot = fc
    .tuple(writableText, writableText)
    .map(([before, after]) => `${before}@slot:recipe-version@${after}`)
    .filter(isReadable);
  // What fills one: a release, a commit or digits of a digest.
  const filling = "5.1.1+v3.6.15";
  const fill = (text: string): string => text.replaceAll(textSlot("recipe-version"), filling);
  fc.assert(
    fc.property(variables(withSlot), (list) => {
      for (const { value } of list) {
        expect(slotsInText(envValue(value))).toEqual(slotsInText(value));
      }
      const text = templates.render("coop-cloud/app.env", { variables: list });
      expect(readEnv(context, fill(text))).toEqual(
        asObject(list.map(({ name, value }) => ({ name, value: fill(value) }))),
      );
    }),
    { numRuns: 5, endOnFailure: true },
  );
});
