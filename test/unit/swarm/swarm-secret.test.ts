import { describe, expect, test } from "vitest";
import { HostFile } from "../../../constructs/nixos/host-file.ts";
import { SwarmSecret } from "../../../constructs/swarm/swarm-secret.ts";
import { bareHost, problemsOf } from "../nixos/tree.ts";

function problems(stack: string, name: string): readonly string[] {
  const host = bareHost();
  const file = new HostFile(host, "file", { path: "/a", purpose: "a test", remedy: "none" });
  new SwarmSecret(host, "secret", { stack, name, file });
  return problemsOf(host);
}

test("a secret's full name may have 64 characters, and not 65", () => {
  // Given a stack of 40 characters: with two underscores and the 12 of the version, 10 are left
  const stack = "s".repeat(40);
  expect(problems(stack, "n".repeat(10))).toEqual([]);
  expect(problems(stack, "n".repeat(11))).toEqual([
    `one/secret: secrets: the swarm secret ${stack}_${"n".repeat(11)}_<version> has 65 characters, and Docker takes 64: shorten the domain or the secret's name`,
  ]);
});

describe("the name of a secret", () => {
  test.each(["a", "A1", "ssl_cert", "db-password", "a_-b"])("%s is fine", (name) => {
    expect(problems("s", name)).toEqual([]);
  });

  test.each(["", "_a", "a_", "-a", "a-", "a.b", "a b", "a/b", "é", "a\n"])(
    "%j is refused",
    (name) => {
      expect(problems("s", name)).toEqual([
        `one/secret: secrets: ${JSON.stringify(name)} cannot be the name of a secret: use letters, digits, inner dashes and underscores`,
      ]);
    },
  );
});

test.each([
  ["ssl_cert", "ssl-cert-version"],
  ["DB_Password", "db-password-version"],
  ["a__b", "a-b-version"],
])("the version of %s fills the slot %s", (name, slot) => {
  const host = bareHost();
  const file = new HostFile(host, "file", { path: "/a", purpose: "a test", remedy: "none" });
  expect(new SwarmSecret(host, "secret", { stack: "s", name, file }).versionSlot).toBe(slot);
});
