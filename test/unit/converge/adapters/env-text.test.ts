import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTemplates } from "../../../../constructs/core/checkout.ts";
import { Templates } from "../../../../constructs/core/template.ts";
import { readEnvText } from "../../../../services/converge/adapters/env-text.ts";
import { writableText } from "../../../property/arbitraries.ts";
import { readEnv } from "../../../property/oracles.ts";

const templates = new Templates(readTemplates(join(import.meta.dirname, "../../../../templates")));

/** Ends that the generator refuses to write. */
const isReadable = (value: string): boolean => !/\\$|['\n\r][\s\S]*"$/.test(value);

test("any .env that the generator prints reads as abra reads it", (context) => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
  const variables = fc.uniqueArray(fc.record({ name, value: writableText.filter(isReadable) }), {
    selector: (variable) => variable.name,
    minLength: 1,
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(variables, (list) => {
      const body = templates.render("coop-cloud/app.env", { variables: list });
      const text = `# Generated from 'x'. Do not edit.\n${body}`;
      expect(readEnvText(text)).toEqual(readEnv(context, text));
      expect(readEnvText(text)).toEqual(
        Object.fromEntries(list.map(({ name, value }) => [name, value])),
      );
    }),
    { numRuns: 10, endOnFailure: true },
  );
});
