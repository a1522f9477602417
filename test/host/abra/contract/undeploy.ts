import { type ContractEntry, must, mustEqual } from "./entry.ts";
import { version } from "./probe-app.ts";

/** What an undeploy takes and leaves. */
export const undeploy: readonly ContractEntry[] = [
  {
    id: "not-deployed",
    mark: "known",
    source: "library",
    says: "what is not deployed cannot be undeployed",
    probe: async (app) => {
      must((await app.undeploy()).exitCode !== 0, "it ended with status 0");
    },
  },
  {
    id: "undeploy-waits",
    mark: "known",
    source: "library",
    says: "undeploy returns when no service, container or network of the stack is left",
    setting: "waitsForRemoval",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.running();
      await app.undeployed();
      const left = [await app.containers(), ...(await app.namesOf("service"))];
      mustEqual("what is left", [...left, ...(await app.namesOf("network"))], [""]);
    },
  },
  {
    id: "undeploy-removes-configs",
    mark: "known",
    source: "ran",
    says: "it removes every config of the stack, and none that is only named alike",
    probe: async (app) => {
      const foreign = await app.createForeignConfig("cc-ci");
      await app.deployed(version.first);
      await app.deployed(version.second);
      await app.undeployed();
      mustEqual("its configs", await app.namesOf("config"), []);
      await app.docker("config", "inspect", foreign);
    },
  },
  {
    id: "undeploy-keeps-data",
    mark: "known",
    source: "read",
    says: "volumes and secrets stay, and so does the .env",
    probe: async (app) => {
      const secret = await app.createSecret("v1");
      const COMPOSE_FILE = "compose.yml:compose.secret.yml";
      app.writeEnv({ COMPOSE_FILE, SECRET_TOKEN_VERSION: "v1" });
      await app.deployed(version.first);
      await app.running();
      await app.undeployed();
      mustEqual("its volumes", await app.namesOf("volume"), [`${app.stack}_data`]);
      await app.docker("secret", "inspect", secret);
      must(app.hasEnv(), "the .env is gone");
    },
  },
  {
    id: "deploy-again",
    mark: "guessed",
    source: "open",
    says: "after an undeploy that has returned, a deploy works at once",
    otherwise:
      "the run that deploys fails, and the next one deploys (abra-otherwise.test.ts, where an undeploy does not wait)",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.running();
      await app.undeployed();
      await app.deployed(version.first);
    },
  },
];
