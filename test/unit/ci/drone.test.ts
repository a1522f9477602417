import { describe, expect, test } from "vitest";
import { appOf, hostYaml } from "../../synthesized.ts";
import { problemsOf } from "../nixos/tree.ts";

/** A host with Drone, and what a test changes of its keys. */
function problems(
  changes: Readonly<Record<string, unknown>> = {},
  accepted = "drone, drone-runner-exec",
) {
  const keys: Record<string, unknown> = {
    ...{ release: "1.9.0", forge: "https://git.example.org", clientId: "3c1f2a6e-7a1b" },
    ...{ clientSecret: "/var/lib/ci-secrets/client", builds: { repository: "ci/cc-ci" } },
    owner: { login: "ci-owner", forgeToken: "/var/lib/ci-secrets/forge-token" },
    ...{ bridge: { login: "ci-bridge" }, ...changes },
  };
  const yaml = `acceptUnfree: [${accepted}]\ndrone: ${JSON.stringify(keys)}`;
  const [host] = appOf(hostYaml(yaml)).hosts;
  if (host === undefined) throw new Error("no host");
  return problemsOf(host);
}

test("Drone with all that it needs is fine", () => {
  expect(problems()).toEqual([]);
  expect(
    problems({ forge: "https://git.example.org:3000", domain: "build.ci.example.org" }),
  ).toEqual([]);
});

describe("its licence", () => {
  test.for([
    ["", "drone and drone-runner-exec"],
    ["drone", "drone-runner-exec"],
    ["drone-runner-exec", "drone"],
  ])("is put to the operator who accepts [%s]", ([accepted, missing]) => {
    expect(problems({}, accepted)).toEqual([
      `cc-ci/drone: needs ${missing} in acceptUnfree: Drone's licence is not a free one, and its free edition serves no runner; read docs/install.md, and name them if you accept it`,
    ]);
  });
});

test.for<[string, Readonly<Record<string, unknown>>, string]>([
  [
    "a forge with a path",
    { forge: "https://git.example.org/gitea" },
    'cc-ci/drone: forge: "https://git.example.org/gitea" must be the https address',
  ],
  ["a forge without TLS", { forge: "http://git.example.org" }, "cc-ci/drone: forge: "],
  ["an id that is none", { clientId: "it's" }, "cc-ci/drone: clientId: must be the id"],
  [
    "the secret itself in the place of its path",
    { clientSecret: "gto_abcdef" },
    "cc-ci/drone/clientSecret: clientSecret: must be an absolute path",
  ],
  [
    "a login that would be more than one",
    { owner: { login: "a,admin:true", forgeToken: "/a" } },
    'cc-ci/drone: owner: "a,admin:true" is no login that Drone takes',
  ],
  [
    "the owner as the one who starts builds",
    { bridge: { login: "CI-Owner" } },
    "cc-ci/drone-repository: bridge.login: must be another account than the owner's",
  ],
  [
    "a repository without an owner",
    { builds: { repository: "cc-ci" } },
    'cc-ci/drone-repository: builds.repository: "cc-ci" must be owner and name',
  ],
  [
    "a branch that is an option",
    { builds: { repository: "ci/cc-ci", branch: "--x" } },
    'cc-ci/drone-repository: builds.branch: "--x" is no name of a branch',
  ],
  [
    "a setting of Drone in the environment",
    { env: { DRONE_RPC_SECRET: "x" } },
    "cc-ci/drone: env: DRONE_RPC_SECRET cannot be set here: Drone's own settings are the construct's",
  ],
])("%s is refused", ([, changes, message]) => {
  const found = problems(changes);
  expect(
    found.some((problem) => problem.startsWith(message)),
    found.join("\n"),
  ).toBe(true);
});
