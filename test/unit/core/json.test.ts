import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type Json, sorted } from "../../../constructs/core/json.ts";

const printJson = (value: Json): string => `${JSON.stringify(sorted(value), undefined, 2)}\n`;

test("members are sorted by name at every depth, and lists keep their order", () => {
  const value = { b: [{ d: 1, c: 2 }, 1, 0], a: { z: null, B: true }, "//": "x", é: 1 };
  expect(printJson(value)).toBe(`{
  "//": "x",
  "a": {
    "B": true,
    "z": null
  },
  "b": [
    {
      "c": 2,
      "d": 1
    },
    1,
    0
  ],
  "é": 1
}
`);
  expect(canonicalJson(value)).toBe(
    '{"//":"x","a":{"B":true,"z":null},"b":[{"c":2,"d":1},1,0],"é":1}',
  );
});

test("members that are undefined are left out", () => {
  expect(canonicalJson({ a: undefined, b: { c: undefined } })).toBe('{"b":{}}');
});

test("members named by whole numbers come first, by their value", () => {
  expect(canonicalJson({ b: 1, "10": 1, "9": 1, "//": 1 })).toBe('{"9":1,"10":1,"//":1,"b":1}');
});

test("a member may have a name that objects of JavaScript have", () => {
  const value = JSON.parse('{"toString":1,"__proto__":{"b":1,"a":2}}');
  expect(canonicalJson(value)).toBe('{"__proto__":{"a":2,"b":1},"toString":1}');
});

test("the order of the members on the way in makes no difference", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed());
      expect(printJson(reversed)).toBe(printJson(value));
      expect(JSON.parse(printJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
