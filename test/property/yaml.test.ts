import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { Templates } from "../../constructs/core/template.ts";
import { writableText } from "./arbitraries.ts";

const templates = new Templates(
  new Map([
    ["value", "a:\n  - b: {{yaml value}}\n    c: {{yaml value}} # {{line remark}}\n"],
    ["key", "{{yaml key}}: {{yaml value}}\n"],
  ]),
);

/** Nothing that JSON cannot hold: no minus zero, no member called `__proto__`. */
const json = fc
  .jsonValue({ stringUnit: "binary" })
  .map((value): unknown => JSON.parse(JSON.stringify(value).replaceAll("__proto__", "proto")));

test("any JSON value comes out of YAML as it went in", () => {
  const remark = fc.constant("a: remark");
  fc.assert(
    fc.property(fc.oneof(json, writableText), remark, (value, remark) => {
      expect(parse(templates.render("value", { value, remark }))).toEqual({
        a: [{ b: value, c: value }],
      });
    }),
    { numRuns: 1000 },
  );
});

test("any text can be a key", () => {
  fc.assert(
    // YAML 1.2 reads an implicit key of up to 1024 characters; ours are names.
    fc.property(writableText, json, (key, value) => {
      expect(parse(templates.render("key", { key, value }))).toEqual({ [key]: value });
    }),
    { numRuns: 1000 },
  );
});
