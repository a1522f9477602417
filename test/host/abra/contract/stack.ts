import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type ContractEntry, must, mustEqual } from "./entry.ts";
import { version } from "./probe-app.ts";

const withSecret = { COMPOSE_FILE: "compose.yml:compose.secret.yml" };
const withWorker = { COMPOSE_FILE: "compose.yml:compose.worker.yml" };

/** Characters that are left of a longer name of a stack. */
const longestStackName = 45;

/** What a deploy leaves in the swarm. */
export const stack: readonly ContractEntry[] = [
  {
    id: "stack-name",
    mark: "known",
    source: "read",
    says: "the stack is called as the domain, with an underscore for each dot; dashes stay",
    probe: async (app) => {
      await app.deployed(version.first);
      mustEqual("the stack", await app.namesOf("service"), [`${app.stack}_app`]);
    },
  },
  {
    id: "long-stack-name",
    mark: "guessed",
    source: "recalled",
    says: `the name of a stack ends after ${longestStackName} characters`,
    setting: "cutsStackNames",
    otherwise: "nothing: a configuration with a longer name is refused (nameLimits)",
    probe: async (app) => {
      const long = await app.another(`probe-${app.mark}-${"long-".repeat(7)}name`);
      const cut = long.stack.slice(0, longestStackName);
      await long.deployed(version.first);
      const seen = [await long.namesOf("service", cut), await long.namesOf("service")];
      mustEqual("the stack, cut and whole,", seen, [[`${cut}_app`], []]);
    },
  },
  {
    id: "stack-name-not-from-env",
    mark: "guessed",
    source: "recalled",
    says: "STACK_NAME in the .env does not change the name of the stack",
    setting: "takesStackNameFromEnv",
    otherwise: "nothing: a configuration that sets STACK_NAME is refused",
    probe: async (app) => {
      app.writeEnv({ STACK_NAME: `probe-${app.mark}-chosen` });
      await app.deployed(version.first);
      mustEqual("the stack", await app.namesOf("service"), [`${app.stack}_app`]);
    },
  },
  {
    id: "recipe-versions",
    mark: "known",
    source: "library",
    says: "the version variables that abra.sh exports make the names of the configs",
    probe: async (app) => {
      await app.deployed(version.second);
      mustEqual("its config", (await app.service("app")).configs, [`${app.stack}_page_v2`]);
    },
  },
  {
    id: "version-label",
    mark: "known",
    source: "library",
    says: "a deploy of a release puts it on the service app, as coop-cloud.<stack>.version",
    probe: async (app) => {
      await app.deployed(version.first);
      const { labels } = await app.service("app");
      mustEqual("the label", labels[`coop-cloud.${app.stack}.version`], version.first);
    },
  },
  {
    id: "chaos-version-label",
    mark: "known",
    source: "library",
    says: "a chaos deploy puts the short commit on it as .chaos-version, and keeps the recipe's .version",
    probe: async (app) => {
      await app.checkoutDeployed();
      const { labels } = await app.service("app");
      const commit = await app.git("-C", app.checkout, "rev-parse", "HEAD");
      const label = `coop-cloud.${app.stack}`;
      mustEqual("the commit", labels[`${label}.chaos-version`], commit.slice(0, 8));
      mustEqual("the release", labels[`${label}.version`], version.imageAbsent);
    },
  },
  {
    id: "labels-on-app-only",
    mark: "guessed",
    source: "recalled",
    says: "no other service gets these labels",
    setting: "labels",
    probe: async (app) => {
      app.writeEnv(withWorker);
      await app.deployed(version.first);
      const { labels } = await app.service("worker");
      const keys = Object.keys(labels).filter((name) => name.startsWith("coop-cloud."));
      mustEqual("the labels", keys, []);
    },
  },
  {
    id: "wipes-labels",
    mark: "known",
    source: "ran",
    says: "a deploy removes labels that somebody else has put on a service",
    probe: async (app) => {
      await app.deployed(version.first);
      const update = ["service", "update", "--detach", "--label-add", "cc-ci.seal=1"];
      await app.docker(...update, `${app.stack}_app`);
      await app.deployed(version.first);
      mustEqual("the label", (await app.service("app")).labels["cc-ci.seal"], undefined);
    },
  },
  {
    id: "unchanged-keeps-task",
    mark: "known",
    source: "ran",
    says: "the same deploy a second time works and restarts nothing",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.running();
      const before = await app.tasks();
      await app.deployed(version.first);
      mustEqual("the task", await app.tasks(), before);
    },
  },
  {
    id: "no-prune",
    mark: "known",
    source: "library",
    says: "a service that the compose files no longer name goes on running",
    probe: async (app) => {
      app.writeEnv(withWorker);
      await app.deployed(version.first);
      app.writeEnv();
      await app.deployed(version.first);
      const services = await app.namesOf("service");
      mustEqual("the stack", services, [`${app.stack}_app`, `${app.stack}_worker`]);
    },
  },
  {
    id: "missing-secret",
    mark: "known",
    source: "library",
    says: "a deploy is refused while a secret is missing, and names it; nothing is made",
    probe: async (app) => {
      app.writeEnv({ ...withSecret, SECRET_TOKEN_VERSION: "v1" });
      const { exitCode, stderr } = await app.deploy(version.first);
      must(exitCode !== 0, "it was deployed");
      must(stderr.includes("token"), `standard error is '${stderr}'`);
      mustEqual("its configs", await app.namesOf("config"), []);
    },
  },
  {
    id: "foreign-secret",
    mark: "guessed",
    source: "recalled",
    says: "a secret that Docker has made serves as well as one made by abra: its name is what counts",
    otherwise:
      "no app with a secret can be deployed: every run of its unit fails, and says what abra says",
    probe: async (app) => {
      await app.createSecret("v1");
      app.writeEnv({ ...withSecret, SECRET_TOKEN_VERSION: "v1" });
      await app.deployed(version.first);
    },
  },
  {
    id: "does-not-wait",
    mark: "known",
    source: "read",
    says: "with -c, a deploy that never becomes healthy ends with status 0",
    probe: async (app) => {
      await app.deployed(version.neverHealthy);
    },
  },
  {
    id: "image-absent",
    mark: "known",
    source: "library",
    says: "with -c, an image that no registry has is no failure of the deploy",
    probe: async (app) => {
      await app.deployed(version.imageAbsent);
      mustEqual("the stack", await app.namesOf("service"), [`${app.stack}_app`]);
    },
  },
  {
    id: "changed-config",
    mark: "known",
    source: "ran",
    says: "a config that changed under the same name fails the deploy",
    probe: async (app) => {
      await app.deployed(version.first);
      appendFileSync(join(app.checkout, "page.tmpl"), "changed\n");
      must((await app.deployCheckout()).exitCode !== 0, "it was deployed");
    },
  },
  {
    id: "missing-compose-file",
    mark: "known",
    source: "ran",
    says: "a compose file that the checkout does not have is a failure",
    probe: async (app) => {
      app.writeEnv({ COMPOSE_FILE: "compose.yml:compose.nowhere.yml" });
      must((await app.deploy(version.first)).exitCode !== 0, "it was deployed");
    },
  },
  {
    id: "foreign-config",
    mark: "known",
    source: "library",
    says: "a config that is named as the stack's are does not make it count as deployed",
    probe: async (app) => {
      await app.createForeignConfig("cc-ci");
      const { exitCode } = await app.undeploy();
      must(exitCode !== 0, "it was undeployed");
      await app.deployed(version.first);
    },
  },
];
