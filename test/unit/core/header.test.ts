import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digestOf } from "../../../constructs/core/digest.ts";
import { jsonWithHeader, withHeader } from "../../../constructs/core/header.ts";

const sha256 = (text: string): string =>
  `sha256:${createHash("sha256").update(Buffer.from(text, "utf8")).digest("hex")}`;

test("a digest is the SHA-256 of the text's bytes", () => {
  expect(digestOf("")).toBe(
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  expect(digestOf("é😀\n")).toBe(sha256("é😀\n"));
});

test.each([
  ["#", "# ", ""],
  ["%%", "%% ", ""],
  ["<!--", "<!-- ", " -->"],
] as const)(
  "a header in %s names source, command and the digest of what is below it",
  (style, open, close) => {
    const content = "a\nb\n";
    expect(withHeader(style, "one/traefik", content)).toEqual({
      text: `${open}Generated from one/traefik. Do not edit: change the source, then run 'npm run synth'.${close}\n${open}Content ${sha256(content)}${close}\n${content}`,
      digest: sha256(content),
    });
  },
);

test("the header of JSON is a member of it, and its digest does not count it", () => {
  const { text, digest } = jsonWithHeader("one/traefik", { b: 1, a: [] });
  expect(digest).toBe(sha256('{"a":[],"b":1}'));
  expect(JSON.parse(text)).toEqual({
    "//": `Generated from one/traefik. Do not edit: change the source, then run 'npm run synth'. Content ${digest}`,
    a: [],
    b: 1,
  });
  expect(jsonWithHeader("elsewhere", { a: [], b: 1 }).digest).toBe(digest);
});
