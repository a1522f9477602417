import { expect, test } from "vitest";
import { impactOf } from "../../../constructs/impact/impact.ts";
import { type Snapshot, takeSnapshot } from "../../../constructs/impact/snapshot.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../../synthesized.ts";

const bridge = `bridge:
  organisation: recipes
  forgeToken: /var/lib/ci-secrets/bridge-forge-token
  repositories: [wiki]
  forks: with-commit`;
const stack = "cc-ci-bridge";

async function snapshot(keys: string, edit = (text: string) => text): Promise<Snapshot> {
  const files = await synthesized(appOf(hostYaml(keys)));
  return takeSnapshot(new Map([...files].map(([path, { content }]) => [path, edit(content)])));
}

/** The stacks that the next switch deploys, each with why, and what is retired. */
async function deployed(before: Snapshot, after: Snapshot) {
  const [host] = impactOf(before, after).hosts;
  return {
    stacks: host?.redeploys.map(({ name, reasons }) => [name, reasons]) ?? [],
    retired: host?.retired.stacks ?? [],
  };
}

const before = `${droneYaml}\n${bridge}`;

test.for<[string, string, readonly string[]]>([
  [
    "another setting",
    before.replace("forks: with-commit", "forks: refused\n  pollSeconds: 60"),
    ["the setting forks with-commit → refused", "the setting pollSeconds 15 → 60"],
  ],
  [
    "another recipe",
    before.replace("[wiki]", "[notes]"),
    [expect.stringMatching(/^the setting recipes .*wiki.* → .*notes/)],
  ],
  [
    "another file of the token",
    before.replace("/bridge-forge-token", "/another"),
    [expect.stringMatching(/^the secret .*_forge_token: file .* → .*another$/)],
  ],
])("the bridge is deployed for %s, and why is said", async ([, after, reasons]) => {
  expect(await deployed(await snapshot(before), await snapshot(after))).toEqual({
    ...{ stacks: [[stack, reasons]], retired: [] },
  });
});

test("a bridge that comes is new, one that moves stays the same stack, and one that stays is nothing", async () => {
  const moved = before.replace("  organisation", "  domain: hooks.ci.example.org\n  organisation");
  const reasons = [
    "is served at hooks.ci.example.org instead of bridge.ci.example.org",
    "its compose file changes",
  ];
  expect(await deployed(await snapshot(droneYaml), await snapshot(before))).toEqual({
    ...{ stacks: [[stack, ["is new"]]], retired: [] },
  });
  expect(await deployed(await snapshot(before), await snapshot(moved))).toEqual({
    ...{ stacks: [[stack, reasons]], retired: [] },
  });
  expect(await deployed(await snapshot(before), await snapshot(before))).toEqual({
    ...{ stacks: [], retired: [] },
  });
});

test("another compose file is told as one", async () => {
  const edited = (text: string) => text.replace("memory: 256M", "memory: 512M");
  expect(await deployed(await snapshot(before), await snapshot(before, edited))).toEqual({
    ...{ stacks: [[stack, ["its compose file changes"]]], retired: [] },
  });
});
