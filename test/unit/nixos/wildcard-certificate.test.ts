import { expect, test } from "vitest";
import {
  WildcardCertificate,
  type WildcardCertificateProps,
} from "../../../constructs/nixos/wildcard-certificate.ts";
import { bareHost, problemsOf } from "./tree.ts";

const pair = { certificate: "/var/lib/certs/chain.pem", key: "/var/lib/certs/key.pem" };

function certificateOf(props: Partial<WildcardCertificateProps> = {}): WildcardCertificate {
  return new WildcardCertificate(bareHost(), "certificate", { ...pair, ...props });
}

test.each([
  {
    name: "the two files and their folder",
    props: {},
    watches: [pair.certificate, "/var/lib/certs", pair.key],
  },
  {
    name: "the folder above as well, where a link to their folder would be switched",
    props: { certificate: "/var/lib/certs/live/chain.pem", key: "/var/lib/certs/live/key.pem" },
    watches: [
      "/var/lib/certs/live/chain.pem",
      "/var/lib/certs/live",
      "/var/lib/certs",
      "/var/lib/certs/live/key.pem",
    ],
  },
  {
    name: "no folder in which something changes all the time",
    props: { certificate: "/run/secrets/chain.pem", key: "/run/secrets/key.pem" },
    watches: ["/run/secrets/chain.pem", "/run/secrets", "/run/secrets/key.pem"],
  },
  {
    name: "both folders where they have one each, and further paths, each once",
    props: { key: "/var/lib/keys/key.pem", watch: ["/var/lib/live", "/var/lib/keys"] },
    watches: [
      pair.certificate,
      "/var/lib/certs",
      "/var/lib/keys",
      "/var/lib/live",
      "/var/lib/keys/key.pem",
    ],
  },
  {
    name: "the files alone where they lie in the root",
    props: { certificate: "/chain.pem", key: "/key.pem" },
    watches: ["/chain.pem", "/key.pem"],
  },
])("what is watched is $name", ({ props, watches }) => {
  expect(certificateOf(props).watches).toEqual(watches);
});

test("what is amiss with one of the two files is said once, by the key that it was given as", () => {
  // given a certificate in a folder that cannot be watched either, and a relative key
  const host = bareHost();
  new WildcardCertificate(host, "certificate", {
    certificate: "/nix/store/certs/chain.pem",
    key: "keys/key.pem",
    waitFor: ["sops"],
    watch: ["/tmp/live"],
  });
  // when the tree is looked at, then each mistake is named once
  expect(problemsOf(host).map((problem) => problem.split(": ").slice(0, 2))).toEqual([
    ["one/certificate/key", "key"],
    ["one/certificate/certificate", "certificate"],
    ["one/certificate/certificate", "watch"],
    ["one/certificate/certificate", "waitFor"],
  ]);
});
