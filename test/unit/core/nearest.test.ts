import { expect, test } from "vitest";
import { nearest } from "../../../constructs/config/nearest.ts";

const keys = ["domain", "certificate", "swarm", "docker", "traefik", "apps", "acceptUnfree", "env"];

test.each([
  ["domian", "domain"],
  ["domains", "domain"],
  ["Domain", "domain"],
  ["certficate", "certificate"],
  ["certifiacte", "certificate"],
  ["traffic", "traefik"],
  ["traefick", "traefik"],
  ["dokcer", "docker"],
  ["app", "apps"],
  ["acceptunfree", "acceptUnfree"],
  ["a", undefined],
  ["en", undefined],
  ["evn", "env"],
  ["swrm", "swarm"],
  ["storage", undefined],
  ["", undefined],
])("of %j it is said: did you mean %s?", (word, guess) => {
  expect(nearest(word, keys)).toBe(guess);
});

test("the fewest edits win, and the first of equals", () => {
  expect(nearest("abcdef", ["abcxyf", "abcdxf", "abcdef"])).toBe("abcdef");
  expect(nearest("abcdef", ["abcdeg", "abcdeh"])).toBe("abcdeg");
});

test("nothing is near to nothing", () => {
  expect(nearest("domain", [])).toBeUndefined();
});

test("two neighbours that changed places are one edit", () => {
  expect(nearest("evn", ["env"])).toBe("env");
  expect(nearest("vne", ["env"])).toBeUndefined();
});
