import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { readConfig } from "../../../constructs/config/file.ts";
import { expectUnit } from "../../../constructs/testing.ts";
import { desiredStateSchema } from "../../../services/converge/desired-state.ts";
import {
  type BridgeSettings,
  bridgeSettingsSchema,
} from "../../../services/lib/bridge-settings.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../../synthesized.ts";
import { problemsOf } from "../nixos/tree.ts";

type Keys = Readonly<Record<string, unknown>>;

/** A host with the bridge, and what a test changes of its keys. */
function yamlWith(changes: Keys = {}, others = droneYaml): string {
  const keys: Keys = {
    ...{ organisation: "recipes", forgeToken: "/var/lib/ci-secrets/bridge-token" },
    ...{ repositories: ["wiki", "notes"], forks: "with-commit", ...changes },
  };
  return hostYaml(`${others}\nbridge: ${JSON.stringify(keys)}`);
}

function problems(changes: Keys = {}, others = droneYaml): readonly string[] {
  const [host] = appOf(yamlWith(changes, others)).hosts;
  if (host === undefined) throw new Error("no host");
  return problemsOf(host);
}

async function settings(changes: Keys = {}, others = droneYaml): Promise<BridgeSettings> {
  const files = await synthesized(appOf(yamlWith(changes, others)));
  const text = files.get("out/cc-ci/bridge.settings.json")?.content ?? "";
  return bridgeSettingsSchema.parse(JSON.parse(text));
}

const composeSchema = z.object({
  services: z.object({
    app: z.object({
      secrets: z.array(z.object({ source: z.string() })),
      deploy: z.object({ labels: z.array(z.string()) }),
    }),
  }),
});

async function compose(changes: Keys = {}) {
  const files = await synthesized(appOf(yamlWith(changes)));
  return composeSchema.parse(parse(files.get("out/cc-ci/bridge.compose.yml")?.content ?? ""));
}

test("the bridge with all that it needs is fine", () => {
  expect(problems()).toEqual([]);
  const keys = { mode: "webhook", webhookKey: "/k/new", previousWebhookKey: "/k/old" };
  expect(problems({ ...keys, limits: { waiting: 1 }, team: 3, only: ["a"] })).toEqual([]);
});

test.for<[string, Keys, string]>([
  ["a domain elsewhere", { domain: "bridge.example.com" }, "domain: "],
  ["a domain of another", { domain: "drone.ci.example.org" }, "domain: the domain drone.ci.exam"],
  ["an organisation with a slash", { organisation: "a/b" }, 'organisation: "a/b" must be the name'],
  ["no organisation", { organisation: "" }, 'organisation: "" must be the name of an organisation'],
  [
    "a longer organisation than a forge has",
    { organisation: "a".repeat(41) },
    'a" must be the name of an organisation on the forge, up to 40 letters, digits, dots',
  ],
  ["a person without a name", { only: [""] }, 'only: "" must be a login on the forge, up to 40'],
  ["a program without a name", { ignore: [""] }, 'ignore: "" must be a login on the forge'],
  ["a mention of a person", { only: ["@alice"] }, 'only: "@alice" must be a login on the forge'],
  ["a longer login than a forge has", { ignore: ["a".repeat(41)] }, 'a" must be a login on'],
  [
    "somebody who alone may ask and is not heard",
    { only: ["bob", "Alice"], ignore: ["alice"] },
    'ignore: "Alice" stands in only too, and can ask for nothing then: take it out of one',
  ],
  ["a repository with its owner", { repositories: ["a/wiki"] }, 'repositories: "a/wiki" must be'],
  ["a recipe in capitals", { repositories: ["Wiki"] }, 'repositories: "Wiki" must be'],
  [
    "a name that abra knows no recipe by",
    { repositories: ["rocket_chat"] },
    'chat" must be the name of a recipe, up to 64 lower-case letters, digits and inner dashes, as in wiki: rename the',
  ],
  ["a name with a dot", { repositories: ["wiki.js"] }, "on the forge, for the recipe has its name"],
  ["a repository twice", { repositories: ["a", "a"] }, "a stands there twice: take one out"],
  ["a list of nobody", { only: [] }, "only: names nobody, which would mean everybody: name who"],
  ["no time between two looks", { pollSeconds: 0 }, "pollSeconds: must be a whole number of sec"],
  ["an hour between two looks", { pollSeconds: 3600 }, "of seconds, from 1 to 300"],
  ["a limit of none", { limits: { waiting: 0 } }, "bridge: limits.waiting: must be a whole num"],
  ["a team of no number", { team: 0 }, "team: must be a whole number, 1 or more"],
  [
    "a key in mode poll",
    { webhookKey: "/k" },
    "webhookKey: is of use in mode webhook alone: put 'mode: webhook' beside it, or take it out",
  ],
  [
    "the old key alone",
    { mode: "webhook", previousWebhookKey: "/k" },
    "previousWebhookKey: needs webhookKey beside it",
  ],
  ["the token itself", { forgeToken: "gto_abc" }, "forgeToken: must be an absolute path"],
  [
    "the owner's token, which may push",
    { forgeToken: "/var/lib/ci-secrets/ci-owner-forge-token" },
    'ken" is the file of the token of ci-owner on https://git.example.org: name one with a sec',
  ],
  [
    "the secret of Drone's client",
    { forgeToken: "/var/lib/ci-secrets/drone-client-secret" },
    "is the file of the secret of Drone's OAuth client on https://git.example.org: name one",
  ],
  [
    "what the host has made for something else",
    { mode: "webhook", webhookKey: "/var/lib/cc-ci/secrets/drone-rpc-secret" },
    'webhookKey: "/var/lib/cc-ci/secrets/drone-rpc-secret" is the file of the secret that Drone',
  ],
  [
    "the token as the key",
    { mode: "webhook", webhookKey: "/var/lib/ci-secrets/bridge-token" },
    'webhookKey: "/var/lib/ci-secrets/bridge-token" is the file of the token of the bridge\'s acc',
  ],
  [
    "the new key as the old one",
    { mode: "webhook", webhookKey: "/k", previousWebhookKey: "/k" },
    'previousWebhookKey: "/k" is the file of the key that deliveries',
  ],
  ["a dashboard without TLS", { dashboard: "http://a.example" }, "dashboard: "],
  ["a dashboard with a slash at its end", { dashboard: "https://a.example/" }, "dashboard: "],
  ["a dashboard that would end the link", { dashboard: "https://a.example/)[x](y" }, "dashboard: "],
  [
    "a dashboard at a port that none is",
    { dashboard: "https://a.example:99999" },
    "must be the https address of the dashboard without a slash at its end, as in https://",
  ],
])("%s is refused, with what would be right", ([, changes, words]) => {
  expect(problems(changes)).toEqual([expect.stringContaining(words)]);
});

test("a forge at a port that none is, is refused once", () => {
  const others = droneYaml.replace("https://git.example.org", "https://git.example.org:99999");
  expect(problems({}, others)).toEqual([expect.stringContaining("must be the https address of a")]);
});

test("a bridge that no recipe is enrolled with yet is fine", async () => {
  expect((await settings({ repositories: [] })).recipes).toEqual([]);
});

test("the longest names that a forge has make settings that the bridge takes", async () => {
  const name = "a".repeat(40);
  const made = await settings({
    ...{ organisation: name, only: [name], repositories: ["b".repeat(64)] },
  });
  expect(made.recipes).toEqual([
    { recipe: "b".repeat(64), repository: `${name}/${"b".repeat(64)}` },
  ]);
});

test("a bridge without Drone is refused", () => {
  expect(problems({}, "")).toEqual([
    "cc-ci: bridge: needs drone on the same host, which builds what it is asked for: docs/install.md has how, in step 5",
  ]);
});

test("one that does not say what is to become of forks is told of the three ways", () => {
  const { problems: found } = readConfig("cc-ci.yaml", yamlWith({ forks: undefined }));
  expect(found).toEqual([
    {
      where: expect.stringContaining("hosts.cc-ci.bridge.forks"),
      message: expect.stringMatching(
        /^is missing: must be one of refused, with-commit, accepted\. Pull requests from forks, .*none is tested \(refused\)/,
      ),
    },
  ]);
  const [wrong] = readConfig("cc-ci.yaml", yamlWith({ forks: "yes" })).problems;
  expect(wrong?.message).toBe("must be one of refused, with-commit, accepted");
});

test("keys of it that stand with Drone's account of that name are told where they belong", () => {
  const others = `${droneYaml}\n    organisation: recipes\n    logn: ci-bridge`;
  const { problems: found } = readConfig("cc-ci.yaml", hostYaml(others));
  expect(found.map(({ message }) => message)).toEqual([
    "is no key that is known here: it belongs to hosts.cc-ci.bridge, beside drone",
    "is no key that is known here: did you mean login?",
  ]);
});

describe("its settings", () => {
  test("say who may ask for what, and how much, where nothing is said otherwise", async () => {
    expect(await settings()).toMatchObject({
      ...{ mode: "poll", pollSeconds: 15, forks: "with-commit", dashboard: null },
      forge: { server: "https://git.example.org", organisation: "recipes", team: null, only: [] },
      recipes: [
        { recipe: "notes", repository: "recipes/notes" },
        { recipe: "wiki", repository: "recipes/wiki" },
      ],
      drone: { server: "https://drone.ci.example.org", repository: "ci/cc-ci", branch: "main" },
      limits: { perPersonAndHour: 10, perPullAndHour: 6, waiting: 20 },
      isLogPublic: true,
    });
  });

  test("lead to the dashboard where there is one", async () => {
    const dashboard = "https://ci.example.org:8443/recipes";
    expect((await settings({ dashboard })).dashboard).toBe(dashboard);
  });

  test("look far back so often that what a hook lost just after a look is not late yet", async () => {
    const lateSeconds = 15 * 60;
    expect((await settings({ mode: "webhook" })).sweepSeconds).toBeLessThanOrEqual(
      lateSeconds - 60,
    );
  });

  test("end a build before Drone does, so that there is a reason", async () => {
    const files = await synthesized(appOf(yamlWith()));
    const repository = files.get("out/cc-ci/drone-repository.json")?.content ?? "";
    const minutes = Number(/"timeout": (\d+)/.exec(repository)?.[1]);
    expect((await settings()).buildSeconds).toBeLessThan(minutes * 60);
    expect((await settings()).buildSeconds).toBeGreaterThan(minutes * 60 - 180);
  });

  test("show no line of a log that not everybody may see", async () => {
    const hidden = droneYaml.replace(
      "repository: ci/cc-ci",
      "{ repository: ci/cc-ci, visibility: private }",
    );
    const others = hidden.replace("builds:\n    {", "builds: {");
    expect((await settings({}, others)).isLogPublic).toBe(false);
  });
});

test("it comes after the proxy and the account that starts builds, and needs neither to be well", () => {
  const app = appOf(yamlWith());
  expectUnit(app, "cc-ci-bridge").toRunAfter("cc-ci-drone-bridge");
  expectUnit(app, "cc-ci-bridge").toRunAfter("cc-ci-traefik");
});

test("it is the same stack at any domain, and so has its volume there", async () => {
  const stackAt = async (changes: Keys) => {
    const files = await synthesized(appOf(yamlWith(changes)));
    const { resources } = desiredStateSchema.parse(
      JSON.parse(files.get("out/cc-ci/bridge.json")?.content ?? ""),
    );
    return resources.flatMap((each) => (each.kind === "docker-stack" ? [each.stack] : []));
  };
  const moved = { domain: "hooks.ci.example.org" };
  expect(await stackAt(moved)).toEqual(await stackAt({}));
  const { labels } = (await compose(moved)).services.app.deploy;
  expect(labels).toContain("traefik.http.routers.cc-ci-bridge.rule=Host(`hooks.ci.example.org`)");
});

test("the proxy has a body whole before it asks the bridge for anything, in both modes", async () => {
  for (const mode of ["poll", "webhook"]) {
    const { labels } = (await compose({ mode })).services.app.deploy;
    expect(labels).toEqual(
      expect.arrayContaining([
        "traefik.http.routers.cc-ci-bridge.middlewares=cc-ci-bridge",
        "traefik.http.middlewares.cc-ci-bridge.buffering.maxRequestBodyBytes=1048576",
        "traefik.http.middlewares.cc-ci-bridge.buffering.memRequestBodyBytes=1048576",
      ]),
    );
  }
});

test("it has the secrets of its mode, and no others", async () => {
  const named = async (changes: Keys) =>
    (await compose(changes)).services.app.secrets.map(({ source }) => source);
  const always = ["forge_token", "drone_token"];
  expect(await named({})).toEqual(always);
  expect(await named({ mode: "webhook" })).toEqual([...always, "webhook_key"]);
  const keys = { mode: "webhook", webhookKey: "/k/new", previousWebhookKey: "/k/old" };
  expect(await named(keys)).toEqual([...always, "webhook_key", "previous_webhook_key"]);
});
