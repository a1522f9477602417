import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ContractEntry, must, mustEqual } from "./entry.ts";
import { type ProbeApp, version } from "./probe-app.ts";

/** What abra does with the clone of a recipe. */
export const checkout: readonly ContractEntry[] = [
  {
    id: "moves-checkout",
    mark: "known",
    source: "read",
    says: "a deploy of a release checks it out",
    probe: async (app) => {
      await app.deployed(version.first);
      mustEqual("the checkout", await head(app), await commitOf(app, version.first));
    },
  },
  {
    id: "chaos-keeps-checkout",
    mark: "known",
    source: "read",
    says: "a chaos deploy takes the checkout as it lies there, whatever the TYPE line says",
    probe: async (app) => {
      await app.git("-C", app.checkout, "checkout", "--quiet", version.second);
      await app.checkoutDeployed();
      mustEqual("the checkout", await head(app), await commitOf(app, version.second));
      mustEqual("its config", (await app.service("app")).configs, [`${app.stack}_page_v2`]);
    },
  },
  {
    id: "undeploy-keeps-checkout",
    mark: "guessed",
    source: "open",
    says: "undeploy does not move the checkout",
    otherwise:
      "nothing: each run puts the checkout back before it deploys, whoever moved it (drift.test.ts)",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.git("-C", app.checkout, "checkout", "--quiet", version.second);
      await app.undeployed();
      mustEqual("the checkout", await head(app), await commitOf(app, version.second));
    },
  },
  {
    id: "dirty-refused",
    mark: "known",
    source: "read",
    says: "a release is not deployed from a checkout with a file that git does not know",
    probe: async (app) => {
      writeFileSync(join(app.checkout, "untracked"), "");
      must((await app.deploy(version.first)).exitCode !== 0, "it was deployed");
      mustEqual("the stack", await app.namesOf("service"), []);
    },
  },
  {
    id: "dirty-chaos",
    mark: "known",
    source: "read",
    says: "a chaos deploy takes a checkout with changes, and deploys them",
    probe: async (app) => {
      await app.git("-C", app.checkout, "checkout", "--quiet", version.first);
      appendFileSync(join(app.checkout, "abra.sh"), "export PAGE_VERSION=v77\n");
      await app.checkoutDeployed();
      mustEqual("its config", (await app.service("app")).configs, [`${app.stack}_page_v77`]);
    },
  },
  {
    id: "unknown-version",
    mark: "known",
    source: "read",
    says: "a release that the clone does not know is a failure, and changes nothing",
    probe: async (app) => {
      await app.deployed(version.first);
      must((await app.deploy("9.9.9+1.37.0")).exitCode !== 0, "it was deployed");
      mustEqual("its config", (await app.service("app")).configs, [`${app.stack}_page_v1`]);
    },
  },
  {
    id: "lint-stops",
    mark: "known",
    source: "read",
    says: "a release that breaks a lint rule of level error is not deployed",
    setting: "lintStops",
    probe: async (app) => {
      must((await app.deploy(version.breaksLint)).exitCode !== 0, "it was deployed");
      mustEqual("the stack", await app.namesOf("service"), []);
    },
  },
  {
    id: "chaos-skips-lint",
    mark: "known",
    source: "read",
    says: "a chaos deploy does not mind what lint says",
    probe: async (app) => {
      await app.git("-C", app.checkout, "checkout", "--quiet", version.breaksLint);
      await app.checkoutDeployed();
    },
  },
  {
    id: "undeploy-needs-clone",
    mark: "guessed",
    source: "recalled",
    says: "without a clone of its recipe, an app cannot be undeployed",
    setting: "undeployNeedsRecipe",
    probe: async (app) => {
      await app.deployed(version.first);
      app.removeCheckout();
      must((await app.undeploy()).exitCode !== 0, "it was undeployed");
    },
  },
];

async function head(app: ProbeApp): Promise<string> {
  return (await app.git("-C", app.checkout, "rev-parse", "HEAD")).trim();
}

async function commitOf(app: ProbeApp, release: string): Promise<string> {
  return (await app.git("-C", app.checkout, "rev-parse", `${release}^{commit}`)).trim();
}
