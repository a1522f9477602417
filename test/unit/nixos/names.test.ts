import { describe, expect, test } from "vitest";
import { isHostLabel, isHostName, isUnitName } from "../../../constructs/nixos/names.ts";

const label = (length: number): string => "a".repeat(length);

describe("a host label", () => {
  test.each(["a", "1", "cc-ci", "a--b", label(63)])("may be %s", (text) => {
    expect(isHostLabel(text)).toBe(true);
  });

  test.each(["", "-a", "a-", "A", "a.b", "a_b", "é", "a b", "a\n", "a%", label(64)])(
    "may not be %j",
    (text) => {
      expect(isHostLabel(text)).toBe(false);
    },
  );
});

describe("a host name", () => {
  const longest = `${label(63)}.${label(63)}.${label(63)}.${label(61)}`;

  test.each(["a.b", "ci.example.org", "1.2", "xn--bcher-kva.example", longest])(
    "may be %s",
    (text) => {
      expect(isHostName(text)).toBe(true);
    },
  );

  test.each([
    ...["", "a", "a.", ".a", "a..b", "A.b", "a.b.", "a_b.c", "-a.b", "a-.b", "*.a.b", "a.b\n"],
    `${label(64)}.a`,
    `${longest}a`,
  ])("may not be %j", (text) => {
    expect(isHostName(text)).toBe(false);
  });
});

describe("a unit name", () => {
  test.each([
    "docker.service",
    "sops-install-secrets.service",
    "srv-a\\x2db.mount",
    "getty@tty1.service",
    "a.b.timer",
    `${label(247)}.service`,
  ])("may be %s", (text) => {
    expect(isUnitName(text)).toBe(true);
  });

  test.each([
    ...[
      "",
      "docker",
      ".service",
      "a b.service",
      "a%i.service",
      "a.service\n",
      "a.serv",
      "é.service",
    ],
    `${label(248)}.service`,
  ])("may not be %j", (text) => {
    expect(isUnitName(text)).toBe(false);
  });
});
