import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseTag } from "../../../../services/converge/kinds/checkout/release-tag.ts";
import { isUnreachable } from "../../../../services/converge/kinds/checkout/upstream-trouble.ts";
import {
  oldTraefiks,
  shutsOut,
  traefikApi,
} from "../../../../services/converge/kinds/stack/api-floor.ts";
import { isRegistryAway } from "../../../../services/converge/kinds/stack/pull-trouble.ts";

describe("the tag of a release", () => {
  const tags = ["1.0.0+1.2.3", "1.0.0-rc1", "1.0.10+2.0.0", "1.1.0", "v2", "1.1.0-x"];

  test.for([
    ["1.0.0", { tag: "1.0.0+1.2.3" }],
    ["1.0.0+1.2.3", { tag: "1.0.0+1.2.3" }],
    ["1.1.0", { tag: "1.1.0" }],
  ] as const)("%s is the one that matches", ([release, choice]) => {
    expect(chooseTag(tags, release)).toEqual(choice);
  });

  test("is asked for when several match", () => {
    const several = ["5.1.1+v3.6.10", "5.1.1+v3.6.15", "5.1.1"];
    expect(chooseTag(several, "5.1.1")).toEqual({ several: several.toSorted() });
    expect(chooseTag(several, "5.1.1+v3.6.15")).toEqual({ tag: "5.1.1+v3.6.15" });
  });

  test("is told with its neighbours when there is none", () => {
    expect(chooseTag(tags, "1.0.7")).toEqual({
      none: true,
      nearest: ["1.0.10+2.0.0", "1.0.0+1.2.3", "1.1.0"],
    });
    expect(chooseTag([], "1.0.0")).toEqual({ none: true, nearest: [] });
  });

  test("always is one that begins with the release", () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));
    const tag = fc
      .tuple(version, fc.constantFrom("", "+1.0.0", "+v2", "-rc1"))
      .map((x) => x.join(""));
    fc.assert(
      fc.property(fc.uniqueArray(tag), version, (some, release) => {
        const choice = chooseTag(some, release);
        if ("tag" in choice) expect(choice.tag.split("+")[0]).toBe(release);
        const matching = some.filter((each) => each.split("+")[0] === release);
        expect("several" in choice).toBe(matching.length > 1);
        expect("none" in choice).toBe(matching.length === 0);
      }),
    );
  });
});

describe("an upstream", () => {
  test.for([
    "fatal: unable to access 'https://git.example.org/a.git/': Could not resolve host: git.example.org",
    "fatal: unable to access 'https://git.example.org/a.git/': Failed to connect to git.example.org port 443 after 12 ms: Couldn't connect to server",
    "fatal: unable to access 'https://git.example.org/a.git/': Connection timed out after 300 s",
    "fatal: unable to access 'https://git.example.org/a.git/': Operation too slow. Less than 100 bytes/sec transferred the last 30 seconds",
    "fatal: unable to access 'https://git.example.org/a.git/': The requested URL returned error: 503",
    "fatal: unable to access 'https://git.example.org/a.git/': The requested URL returned error: 429",
    "error: RPC failed; curl 56 Recv failure: Connection reset by peer",
    "fatal: the remote end hung up unexpectedly",
    "fatal: unable to access 'https://git.example.org/a.git/': gnutls_handshake() failed: The TLS connection was non-properly terminated.",
  ])("is not there now: %s", (words) => {
    expect(isUnreachable(words)).toBe(true);
  });

  test.for([
    "fatal: repository 'https://git.example.org/a.git/' not found",
    "fatal: unable to access 'https://git.example.org/a.git/': The requested URL returned error: 403",
    "fatal: could not read Username for 'https://git.example.org': terminal prompts disabled",
    "fatal: Authentication failed for 'https://git.example.org/a.git/'",
    "fatal: https://git.example.org/a.git/info/refs not valid: is this a git repository?",
    "fatal: unable to access 'https://git.example.org/a.git/': server certificate verification failed. CAfile: none CRLfile: none",
    "fatal: unable to access 'https://git.example.org/a.git/': SSL certificate problem: unable to get local issuer certificate",
    "fatal: transport 'file' not allowed",
    "fatal: remote error: upload-pack: not our ref 0000",
  ])("says no: %s", (words) => {
    expect(isUnreachable(words)).toBe(false);
  });
});

describe("a registry", () => {
  test.for([
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host',
    'Get "https://registry-1.docker.io/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
    'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout',
    'Get "https://registry-1.docker.io/v2/": context deadline exceeded',
    "toomanyrequests: You have reached your unauthenticated pull rate limit.",
    "received unexpected HTTP status: 503 Service Unavailable",
    "unexpected EOF",
  ])("cannot be asked now: %s", (words) => {
    expect(isRegistryAway(words)).toBe(true);
  });

  test.for([
    "manifest for traefik:v99 not found: manifest unknown: manifest unknown",
    "pull access denied for a/b, repository does not exist or may require 'docker login'",
    "unauthorized: authentication required",
    'Get "https://a.b/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "no matching manifest for linux/arm64/v8 in the manifest list entries",
    "something new",
  ])("says no: %s", (words) => {
    expect(isRegistryAway(words)).toBe(false);
  });
});

describe("the oldest API that the daemon speaks", () => {
  test.for([
    ["v2.11.30", true],
    ["v2.11.31", false],
    ["v2.11", false],
    ["v2.10", true],
    ["v2", false],
    ["v3.0.0", true],
    ["v3.5", true],
    ["v3.6.0", true],
    ["v3.6.1", false],
    ["v3.6", false],
    ["v3.10.0", false],
    ["3.6.12", false],
    ["v3.5.0-nanoserver", true],
    ["v1.7", true],
    ["v4.0.0", false],
    ["latest", false],
    ["sha-2024", false],
  ] as const)("shuts out Traefik %s: %s", ([tag, isShutOut]) => {
    const images = [`traefik:${tag}`, "other:v1.0.0"];
    expect(oldTraefiks(images)).toEqual(isShutOut ? [`traefik:${tag}`] : []);
  });

  test("shuts out nobody where it is old enough, or nobody says", () => {
    expect(oldTraefiks(["docker.io/library/traefik:v2.1.0"])).toHaveLength(1);
    expect([traefikApi, "1.12", "", "1.40", "1.44"].map(shutsOut)).toEqual([
      ...[false, false, false, true, true],
    ]);
  });
});
