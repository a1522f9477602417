import { expect, test } from "vitest";
import { nixText } from "../../../constructs/core/nix.ts";
import {
  ConvergePiece,
  type ConvergePieceProps,
} from "../../../constructs/nixos/converge-piece.ts";
import { HostFile } from "../../../constructs/nixos/host-file.ts";
import { slotsInText, textSlot } from "../../../constructs/nixos/slots.ts";
import { SwarmSecret } from "../../../constructs/swarm/swarm-secret.ts";
import { bareHost, problemsOf } from "./tree.ts";

test.each([
  ["@slot:a@", ["a"]],
  ["wiki:@slot:recipe-version@", ["recipe-version"]],
  ["@slot:a@@slot:b2@@slot:a@", ["a", "b2"]],
  ["@slot:a@slot:b@", ["a"]],
  ["@slot:A@ @slot:1@ @slot:@ @slot:a b@ slot:a @slot:a", []],
  ["", []],
])("the slots of %j are %j", (text, slots) => {
  expect(slotsInText(text)).toEqual(slots);
});

test("a slot is found in the text that it is written as", () => {
  expect(slotsInText(textSlot("recipe-version"))).toEqual(["recipe-version"]);
});

/** What a tree with one piece objects to, whose only resource writes an `.env`. */
function problems(
  props: Partial<ConvergePieceProps>,
  content = { slot: "env-file" },
): readonly string[] {
  const host = bareHost();
  new ConvergePiece(host, "piece", {
    name: "a",
    description: "A piece",
    resources: () => [{ kind: "env", path: "/a", content }],
    ...props,
  });
  return problemsOf(host);
}

test("a slot that is used and filled is fine", () => {
  expect(problems({ slots: { "env-file": nixText`x` } })).toEqual([]);
});

test("a slot that is used and not filled is refused", () => {
  expect(problems({})).toEqual([
    "one/piece: the slot env-file is used, and neither Nix nor the host fills it",
  ]);
});

test("a slot that is filled and not used is refused", () => {
  expect(problems({ slots: { "env-file": nixText`x`, other: nixText`y` } })).toEqual([
    "one/piece: the slot other is filled, and nothing uses it",
  ]);
});

test("a slot that only a text uses is one that is used", () => {
  const texts = (): readonly string[] => ["A", `B${textSlot("one")}${textSlot("two")}`];
  const filled = { "env-file": nixText`x`, one: nixText`y` };
  expect(problems({ slots: { ...filled, two: nixText`z` }, texts })).toEqual([]);
  expect(problems({ slots: filled, texts })).toEqual([
    "one/piece: the slot two is used, and neither Nix nor the host fills it",
  ]);
});

test("the slot of the piece's own file cannot be filled", () => {
  const content = { slot: "file" };
  expect(problems({ slots: { file: nixText`x` } }, content)).toEqual([
    "one/piece: the slot file is the piece's own file: choose another name",
  ]);
});

/** What a tree with one piece objects to, which makes a secret and has these texts and slots. */
function problemsOfSecret(
  texts: readonly string[],
  slots: ConvergePieceProps["slots"] = {},
): readonly string[] {
  const host = bareHost();
  const file = new HostFile(host, "file", { path: "/f", purpose: "a test", remedy: "none" });
  const secret = new SwarmSecret(host, "secret", { stack: "s", name: "n", file });
  new ConvergePiece(host, "piece", {
    name: "a",
    description: "A piece",
    sources: [secret],
    resources: () => [],
    slots,
    texts: () => texts,
  });
  return problemsOf(host);
}

test("a secret fills the slot of its version for a text", () => {
  expect(problemsOfSecret([`V=${textSlot("secret-n-version")}`])).toEqual([]);
});

test("a secret whose version no text uses is refused", () => {
  expect(problemsOfSecret([])).toEqual([
    "one/piece: the slot secret-n-version is filled, and nothing uses it",
  ]);
});

test("a slot that is filled twice is refused", () => {
  const texts = [`V=${textSlot("secret-n-version")}`];
  expect(problemsOfSecret(texts, { "secret-n-version": nixText`x` })).toEqual([
    "one/piece: the slot secret-n-version is filled twice: one of the two needs another name",
  ]);
});
