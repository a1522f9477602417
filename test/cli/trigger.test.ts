import { join } from "node:path";
import { expect, test } from "vitest";
import { droneYaml } from "../synthesized.ts";
import { checkoutWith, runCli } from "./cli.ts";
import { repositoryOf } from "./diff-sources.ts";
import { configuration } from "./yaml.ts";

const drone = { more: droneYaml.split("\n") };
const commit = "0123456789abcdef0123456789abcdef01234567";
const wiki = ["--recipe", "wiki", "--ref", commit];
const token = "not-one-of-any-drone";

test.for<{ name: string; yaml: string; args: readonly string[]; token: string; says: string }>([
  {
    name: "a configuration without Drone",
    yaml: configuration({ one: {} }),
    ...{ args: wiki, token },
    says: "trigger: there is no host with Drone: add 'drone' to one in cc-ci.yaml",
  },
  {
    name: "a host without Drone, beside one with it",
    yaml: configuration({ one: {}, two: { ...drone, domain: "b.example.org" } }),
    ...{ args: [...wiki, "--host", "one"], token },
    says: "trigger: there is no host with Drone: add 'drone' to one in cc-ci.yaml",
  },
  {
    name: "two hosts with Drone",
    yaml: configuration({ one: drone, two: { ...drone, domain: "b.example.org" } }),
    ...{ args: wiki, token },
    says: "trigger: there are several hosts with Drone: choose one with --host",
  },
  {
    name: "no token",
    yaml: configuration({ one: drone }),
    ...{ args: wiki, token: "" },
    says: "DRONE_TOKEN: is not set: take the one that the host has in /var/lib/cc-ci/secrets/drone-bridge-token, or your own of https://drone.ci.example.org/account",
  },
  {
    name: "no ref",
    yaml: configuration({ one: drone }),
    ...{ args: ["--recipe", "wiki"], token },
    says: "--ref: name a branch, a tag or a commit of the recipe",
  },
  {
    name: "what is no recipe",
    yaml: configuration({ one: drone }),
    ...{ args: ["--recipe", "Wiki;id", "--repository", "ci/wiki", "--ref", commit], token },
    says: "--recipe: must be the name of a recipe, such as wiki",
  },
  {
    name: "what is no repository",
    yaml: configuration({ one: drone }),
    ...{ args: [...wiki, "--repository", "https://git.example.org/ci/wiki"], token },
    says: "--repository: must be owner and name, as in recipes/wiki",
  },
])("trigger starts nothing for $name", async ({ yaml, args, token, says }) => {
  const root = checkoutWith({ "cc-ci.yaml": yaml });

  const outcome = await runCli(root, ["trigger", ...args], { env: { DRONE_TOKEN: token } });

  expect(outcome).toEqual({ code: 2, signal: undefined, stdout: "", stderr: `${says}\n` });
});

test("trigger says which branch or tag the recipe does not have", async () => {
  // given a forge whose repositories lie in a folder
  const recipe = await repositoryOf({ "compose.yml": "services: {}\n" });
  const root = checkoutWith({ "cc-ci.yaml": configuration({ one: drone }) });
  const env = {
    DRONE_TOKEN: token,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.file://${join(recipe, ".git")}.insteadOf`,
    GIT_CONFIG_VALUE_0: "https://git.example.org/ci/wiki.git",
  };

  // when
  const args = ["trigger", "--recipe", "wiki", "--ref", "no-such-branch"];
  const { code, stderr } = await runCli(root, args, { env });

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: '--ref: https://git.example.org/ci/wiki.git has no branch or tag "no-such-branch"\n',
  });
});
