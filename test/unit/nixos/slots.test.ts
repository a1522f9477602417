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
    resources: () => [{ kind: "env", path: "/a", recipe: "r", content }],
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

test("a secret fills its own version", () => {
  const host = bareHost();
  const file = new HostFile(host, "file", { path: "/f", purpose: "a test", remedy: "none" });
  const secret = new SwarmSecret(host, "secret", { stack: "s", name: "n", file });
  new ConvergePiece(host, "piece", {
    name: "a",
    description: "A piece",
    sources: [secret],
    resources: () => [],
  });
  expect(problemsOf(host)).toEqual([]);
});
