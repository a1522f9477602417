import { describe, expect, test } from "vitest";
import { HostFile, pathProblems } from "../../../constructs/nixos/host-file.ts";
import { bareHost, problemsOf } from "./tree.ts";

describe("a host file may lie at", () => {
  test.each([
    "/a",
    "/var/lib/ci-certs/live/fullchain.pem",
    "/run/secrets/a_b+c=d:e,f@g~h",
    "/nix/storage/a",
    "/nix/store-of-mine",
    "/.hidden/..a/...",
    "/A/0",
    "/tmpfiles/a",
    "/var/a/tmp/b",
    "/run/dev",
    `/${"a".repeat(255)}/b`,
  ])("%s", (path) => {
    expect(pathProblems("path", path)).toEqual([]);
  });
});

describe("a host file may not lie at", () => {
  test.each(["", "a", "./a", "~/a", "var/lib/a", " /a"])(
    "%j, which is not absolute and not shown",
    (path) => {
      expect(pathProblems("key", path)).toEqual([
        "key: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      ]);
    },
  );

  test.each(["/nix/store", "/nix/store/a", "/nix/store/../a"])("%j, in the store", (path) => {
    expect(pathProblems("key", path)).toEqual([
      `key: ${JSON.stringify(path)} lies in the Nix store, which everybody on the host can read: put the file elsewhere`,
    ]);
  });

  test.each([
    ...["/tmp", "/tmp/a", "/var/tmp/a", "/proc/1/environ", "/sys/a", "/dev/shm/a"],
    "/proc/../a",
  ])("%j, where a unit or the kernel has its own", (path) => {
    expect(pathProblems("key", path)).toEqual([
      `key: ${JSON.stringify(path)} lies where units have their own files or the kernel has its: put the file elsewhere`,
    ]);
  });

  test.each([
    ...["/", "/a/", "//a", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a/..", "/nix/./store/a"],
    ...["/a b", "/a\tb", "/a\nb", "/a\n", "/%h", "/a$b", "/a'b", '/a"b', "/a\\b", "/a;b", "/a#b"],
    ...[`/${"a".repeat(256)}`, "/a".repeat(513)],
    ...["/a*b", "/a?b", "/a(b", "/é", "/a\u0000"],
  ])("%j, which is not plain", (path) => {
    expect(pathProblems("key", path)).toEqual([
      `key: ${JSON.stringify(path)} must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
    ]);
  });
});

test("every path and unit of a host file is looked at, and all that is amiss is named", () => {
  const host = bareHost();
  new HostFile(host, "file", {
    path: "a",
    purpose: "a test",
    remedy: "none",
    watch: ["/fine", "/b/"],
    waitFor: ["sops-install-secrets", "fine.service"],
  });
  expect(problemsOf(host)).toEqual([
    "one/file: path: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
    "one/file: watch: \"/b/\" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters",
    'one/file: waitFor: "sops-install-secrets" is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service',
  ]);
});
