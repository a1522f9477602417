import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ContractEntry, must, mustEqual } from "./entry.ts";
import { type ProbeApp, version } from "./probe-app.ts";

/** What abra does to the `.env` of an app. */
export const envFile: readonly ContractEntry[] = [
  {
    id: "type-after-deploy",
    mark: "known",
    source: "read",
    says: "a deploy of a release writes it into the TYPE line, as <recipe>:<release>",
    setting: "rewritesType",
    probe: async (app) => {
      await app.deployed(version.second);
      mustEqual("TYPE", app.type, `probe:${version.second}`);
    },
  },
  {
    id: "type-after-chaos",
    mark: "known",
    source: "library",
    says: "a chaos deploy writes the first eight digits of the commit into the TYPE line",
    setting: "rewritesType",
    probe: async (app) => {
      await app.checkoutDeployed();
      mustEqual("TYPE", app.type, `probe:${await shortCommit(app)}`);
    },
  },
  {
    id: "type-after-dirty-chaos",
    mark: "known",
    source: "library",
    says: "of a checkout that is not clean, it writes the commit and +U",
    setting: "rewritesType",
    probe: async (app) => {
      writeFileSync(join(app.checkout, "untracked"), "");
      await app.checkoutDeployed();
      mustEqual("TYPE", app.type, `probe:${await shortCommit(app)}+U`);
    },
  },
  {
    id: "type-after-undeploy",
    mark: "known",
    source: "library",
    says: "undeploy writes the version that was deployed into the TYPE line",
    setting: "rewritesType",
    probe: async (app) => {
      await app.deployed(version.second);
      app.writeEnv();
      await app.undeployed();
      mustEqual("TYPE", app.type, `probe:${version.second}`);
    },
  },
  {
    id: "other-lines-stay",
    mark: "guessed",
    source: "open",
    says: "every line of the .env but TYPE stays as it was, comments and order included",
    setting: "keepsOtherLines",
    probe: async (app) => {
      app.writeEnv({ ZEBRA: "'two words'", AARDVARK: '"$ZEBRA"' });
      const before = app.env;
      await app.deployed(version.first);
      const withoutType = (text: string): string => text.replace(/^TYPE=.*$/m, "");
      mustEqual("the rest of the file", withoutType(app.env), withoutType(before));
    },
  },
  {
    id: "argument-over-type",
    mark: "known",
    source: "read",
    says: "the version argument wins over the one in the TYPE line",
    probe: async (app) => {
      await app.deployed(version.second);
      const { labels } = await app.service("app");
      mustEqual("the version", labels[`coop-cloud.${app.stack}.version`], version.second);
    },
  },
  {
    id: "missing-variable",
    mark: "known",
    source: "library",
    says: "a variable of .env.sample that the .env lacks is a warning and no failure",
    probe: async (app) => {
      app.writeEnv({ COLOUR: undefined });
      await app.deployed(version.first);
    },
  },
  {
    id: "env-reaches-app",
    mark: "known",
    source: "read",
    says: "every variable of the .env is environment of the service app, TYPE with the version",
    probe: async (app) => {
      await app.deployed(version.first);
      const { COLOUR, COMPOSE_FILE, DOMAIN, TYPE } = (await app.service("app")).env;
      const seen = { COLOUR, COMPOSE_FILE, DOMAIN, TYPE };
      const expected = { COLOUR: "blue", COMPOSE_FILE: "compose.yml", DOMAIN: app.domain };
      mustEqual("the environment", seen, { ...expected, TYPE: `probe:${version.first}` });
    },
  },
  {
    id: "env-reaches-app-only",
    mark: "known",
    source: "read",
    says: "no other service gets a variable of the .env that its compose file does not name",
    setting: "exposesEnvTo",
    probe: async (app) => {
      app.writeEnv({ COMPOSE_FILE: "compose.yml:compose.worker.yml" });
      await app.deployed(version.first);
      mustEqual("the environment of the other", (await app.service("worker")).env, {});
    },
  },
  {
    id: "recipe-versions-in-env",
    mark: "guessed",
    source: "recalled",
    says: "the variables that abra.sh exports are environment of the service app as well",
    setting: "exposesRecipeVersions",
    probe: async (app) => {
      await app.deployed(version.first);
      const { PAGE_VERSION } = (await app.service("app")).env;
      mustEqual("PAGE_VERSION", PAGE_VERSION, "v1");
    },
  },
  {
    id: "dollar-stays",
    mark: "known",
    source: "ran",
    says: "a value in single quotes reaches the container as it is, dollars included",
    probe: async (app) => {
      app.writeEnv({ COLOUR: "'costs $5 and ${MORE}'" });
      await app.deployed(version.first);
      mustEqual("COLOUR", (await app.service("app")).env.COLOUR, "costs $5 and ${MORE}");
    },
  },
];

async function shortCommit(app: ProbeApp): Promise<string> {
  const commit = (await app.git("-C", app.checkout, "rev-parse", "HEAD")).trim();
  must(commit.length === 40, `HEAD is '${commit}'`);
  return commit.slice(0, 8);
}
