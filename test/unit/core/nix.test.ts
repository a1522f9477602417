import { expect, test } from "vitest";
import {
  isAttributes,
  isNixExpression,
  mergeAttributes,
  nixName,
  nixText,
} from "../../../constructs/core/nix.ts";

test("sets are merged member by member", () => {
  expect(mergeAttributes({ a: { b: 1, c: 2 }, d: 1 }, { a: { c: 3, e: 4 } })).toEqual({
    a: { b: 1, c: 3, e: 4 },
    d: 1,
  });
});

test("lists and single values are replaced", () => {
  expect(mergeAttributes({ a: [1, 2], b: "x" }, { a: [3], b: { c: 1 } })).toEqual({
    a: [3],
    b: { c: 1 },
  });
});

test("null takes a member away, at any depth, and undefined leaves it", () => {
  expect(mergeAttributes({ a: { b: 1, c: 2 }, d: 1 }, { a: { b: null }, d: undefined })).toEqual({
    a: { c: 2 },
    d: 1,
  });
});

test("code replaces a set and is not merged with one", () => {
  const code = nixName("x");
  expect(mergeAttributes({ a: { b: 1 } }, { a: code })).toEqual({ a: code });
  expect(mergeAttributes({ a: code }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
});

test("what is merged stays as it was", () => {
  const base = { a: { b: 1 } };
  mergeAttributes(base, { a: { b: 2 }, c: 3 });
  expect(base).toEqual({ a: { b: 1 } });
});

test.each(["__proto__", "constructor", "toString"])("a member may be called %s", (name) => {
  const base = Object.fromEntries([[name, { a: 1 }]]);
  const over = Object.fromEntries([[name, { b: 2 }]]);
  const wanted = (value: unknown): unknown =>
    Object.entries({ ...Object.fromEntries([[name, value]]) });
  expect(Object.entries(mergeAttributes({}, over))).toEqual(wanted({ b: 2 }));
  expect(Object.entries(mergeAttributes(base, over))).toEqual(wanted({ a: 1, b: 2 }));
  expect(Object.entries(mergeAttributes(base, Object.fromEntries([[name, null]])))).toEqual([]);
});

test("data that looks like code is data", () => {
  const fake = { kind: "name", path: ["builtins", "abort"] };
  expect(isNixExpression(fake)).toBe(false);
  expect(isAttributes(fake)).toBe(true);
});

test("parts of text that meet are one part", () => {
  const x = nixName("x");
  expect(nixText`a${"b"}c${nixText`d${x}`}`).toEqual(nixText`abcd${x}`);
});
