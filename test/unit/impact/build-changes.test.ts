import { expect, test } from "vitest";
import { type HostImpact, impactOf } from "../../../constructs/impact/impact.ts";
import { type Snapshot, takeSnapshot } from "../../../constructs/impact/snapshot.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../../synthesized.ts";

const runs = "runs: { maxTests: 2 }";
const drone = `${droneYaml}\n${runs}`;

async function snapshot(keys: string): Promise<Snapshot> {
  const files = await synthesized(appOf(hostYaml(keys)));
  return takeSnapshot(new Map([...files].map(([path, { content }]) => [path, content])));
}

/** What the next switch does to the host, from some keys to others. */
async function impact(before: string, after: string): Promise<HostImpact> {
  const [host] = impactOf(await snapshot(before), await snapshot(after)).hosts;
  if (host === undefined) throw new Error("nothing differs");
  return host;
}

/** The keys of Drone with a line before its release. */
function droneWith(line: string): string {
  return drone.replace("  release:", `  ${line}\n  release:`);
}

const address = "https://drone.ci.example.org";
const again =
  "Drone is deployed again, and away for 310 s at the most: logins, settings and builds that wait stay; those that run go on, and one that ends meanwhile may be shown as killed";
const anew =
  "the runner starts anew with its new settings once those that run are through, and takes none meanwhile";
const logIn = (login: string, server = address) =>
  `a person logs in once as ${login}: ${server}/login`;

test.for<[string, string, string, readonly string[]]>([
  ["nothing is said where there is no Drone", runs, "runs: { maxTests: 3 }", []],
  [
    "Drone comes",
    runs,
    drone,
    ["the host takes those of ci/cc-ci", logIn("ci-owner"), logIn("ci-bridge")],
  ],
  [
    "Drone goes",
    drone,
    runs,
    [
      "the host takes no more of them: the switch is refused as long as one runs, and names its run",
    ],
  ],
  ["another release", drone, drone.replace("1.9.0", "1.10.0"), [again]],
  ["more tests at once", drone, drone.replace("maxTests: 2", "maxTests: 4"), [anew]],
  [
    "a longer timeout, which the repository in Drone alone has to know",
    drone,
    drone.replace("maxTests: 2", "timeoutMinutes: 90"),
    [],
  ],
  [
    "another forge",
    drone,
    drone.replace("https://git.", "https://forge."),
    [
      again,
      "the forge is another: Drone's logins of https://git.example.org end",
      logIn("ci-owner"),
      logIn("ci-bridge"),
    ],
  ],
  [
    "another domain",
    drone,
    droneWith("domain: build.ci.example.org"),
    [
      "Drone moves to https://build.ci.example.org and starts with nothing: accounts and settings are made again, older builds stay behind in its volume, and the OAuth client on the forge must lead to https://build.ci.example.org/login",
      anew,
      logIn("ci-owner", "https://build.ci.example.org"),
      logIn("ci-bridge", "https://build.ci.example.org"),
    ],
  ],
  [
    "another owner, which Drone is started with",
    drone,
    drone.replace("login: ci-owner", "login: new-owner"),
    [again, logIn("new-owner")],
  ],
  [
    "another account that logs in by itself",
    drone,
    drone.replace("login: ci-bridge", "login: robot\n    password: /s/robot"),
    [],
  ],
  [
    "another processor",
    drone,
    droneWith("architecture: arm64"),
    [
      "the pipeline changes: for those that are started once out/ is pushed to ci/cc-ci on the forge",
    ],
  ],
  [
    "a network that refuses, so that Drone is left alone",
    drone,
    `${drone.replace("1.9.0", "1.10.0")}\nswarm: { proxySubnet: 10.81.0.0/16 }`,
    [],
  ],
])(
  "of builds in Drone the next switch says what there is to say: %s",
  async ([, before, after, sentences]) => {
    expect((await impact(before, after)).builds).toEqual(sentences);
  },
);

test("a file of ours over a recipe is part of what is deployed", async () => {
  // given an owner that stands in that file alone
  const after = drone.replace("login: ci-owner", "login: new-owner");

  // when
  const { applies, redeploys } = await impact(drone, after);

  // then
  const reasons = ["the file ccci.env.tmpl over the recipe changes"];
  expect(redeploys).toEqual([{ piece: "drone", name: "drone_ci_example_org", reasons }]);
  expect(applies).toContainEqual({ name: "drone", reasons });
});

test.for<[string, string, string, string]>([
  [
    "a setting among others, by its own name",
    "drone-repository",
    drone.replace("maxTests: 2", "timeoutMinutes: 90"),
    "ci/cc-ci in Drone: settings.timeout 110 → 140",
  ],
  [
    "what comes where there was nothing",
    "drone-bridge",
    `${drone.replace("login: ci-bridge", "login: ci-bridge\n    password: /s/bridge")}`,
    "the file /s/bridge is new; Drone's account ci-bridge: account.passwordFile nothing → /s/bridge",
  ],
  [
    "a digest of settings, by what comes of it",
    "drone-runner",
    drone.replace("maxTests: 2", "maxTests: 4"),
    "the service cc-ci-runner.service: starts anew with other settings once what it has begun is through",
  ],
])("a change of a resource is said in words: %s", async ([, piece, after, words]) => {
  const { applies } = await impact(drone, after);
  expect(applies.find(({ name }) => name === piece)?.reasons.join("; ")).toBe(words);
});
