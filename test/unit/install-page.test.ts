import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appOf, hostYaml, synthesized } from "../synthesized.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/install.md"), "utf8");

/** The pieces of YAML on the page: keys of a host each, as they stand in cc-ci.yaml. */
const examples = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) =>
  text.replaceAll(/^ {4}/gm, ""),
);

test("there is an example of apps, one of the licence, one of Drone and one of the bridge", () => {
  expect(examples.map((text) => /^\w+/.exec(text)?.[0])).toEqual([
    "apps",
    "acceptUnfree",
    "acceptUnfree",
    "bridge",
  ]);
});

test.for(examples.map((text) => [text.split("\n")[0] ?? "", text] as const))(
  "what docs/install.md puts into cc-ci.yaml is one that synth takes: %s",
  async ([, keys]) => {
    // What follows on Drone stands beside it.
    const others = keys.startsWith("bridge") ? `${examples[2]}\n` : "";
    const files = await synthesized(appOf(hostYaml(others + keys)));
    expect(files.has("out/cc-ci/pieces.json")).toBe(true);
  },
);

test("it has every file that its example of Drone names made on the machine", () => {
  // given
  const [, , drone = ""] = examples;
  const paths = [...drone.matchAll(/\/var\/lib\/ci-secrets\/(\S+)/g)].map(([, name = ""]) => name);

  // then
  expect(paths.length).toBeGreaterThan(3);
  for (const name of paths) expect(page).toMatch(new RegExp(`^cat > ${name} `, "m"));
});

test("it has the bridge's token made on the machine, and taken along to another one", () => {
  const token = /forgeToken: (\S+)/.exec(examples[3] ?? "")?.[1] ?? "";
  expect(page).toContain(`install -m 600 /dev/stdin ${token} `);
  const another = page.split("- **A new machine**")[1]?.split("\n- **")[0] ?? "";
  expect(another).toContain(`\`${token.split("/").at(-1)}\``);
});

test("it says where the pipeline is, and which address the forge has to send people back to", async () => {
  const [, , drone = ""] = examples;
  const files = await synthesized(appOf(hostYaml(drone)));
  const pipeline = [...files.keys()].find((path) => path.endsWith("/drone.yml"));
  expect(page).toContain(`\`${pipeline}\``);
  expect(page).toContain("`https://drone.ci.example.org/login`");
  expect(files.get("out/cc-ci/drone.env")?.content).toContain("DOMAIN=drone.ci.example.org");
});
