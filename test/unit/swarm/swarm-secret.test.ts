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
  ["ssl_cert", "secret-ssl-cert-version"],
  ["DB_Password", "secret-db-password-version"],
  ["a__b", "secret-a-b-version"],
])("the version of %s fills the slot %s", (name, slot) => {
  const host = bareHost();
  const file = new HostFile(host, "file", { path: "/a", purpose: "a test", remedy: "none" });
  expect(new SwarmSecret(host, "secret", { stack: "s", name, file }).versionSlot).toBe(slot);
});

test("the file of a secret must be so long that its version gives nothing away", () => {
  // given a file for a secret, and one that must be longer anyway
  const host = bareHost();
  const made = [undefined, 32].map((minBytes, index) => {
    const file = new HostFile(host, `file-${index}`, {
      path: `/a${index}`,
      purpose: "a test",
      remedy: "none",
      ...(minBytes === undefined ? {} : { demand: { format: "opaque", minBytes } }),
    });
    return new SwarmSecret(host, `secret-${index}`, { stack: "s", name: `n${index}`, file });
  });
  // when their resources are listed, then each file comes first, with what is demanded of it
  expect(made.map(({ resources }) => resources[0])).toMatchObject([
    { kind: "host-file", path: "/a0", demand: { format: "opaque", minBytes: 16 } },
    { kind: "host-file", path: "/a1", demand: { format: "opaque", minBytes: 32 } },
  ]);
});
