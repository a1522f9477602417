import { type ContractEntry, must, mustEqual } from "./entry.ts";
import { version } from "./probe-app.ts";

/** The character that every sequence for a colour starts with. */
const escapeCharacter = String.fromCharCode(27);

/** How abra is called, and how it answers. */
export const calls: readonly ContractEntry[] = [
  {
    id: "version",
    mark: "known",
    source: "read",
    says: "abra --version prints a version number",
    probe: async (app) => {
      const { exitCode, stdout, stderr } = await app.abra("--version");
      mustEqual("the status", exitCode, 0);
      must(/\d+\.\d+/.test(stdout + stderr), `it printed '${stdout}${stderr}'`);
    },
  },
  {
    id: "state-folder",
    mark: "known",
    source: "read",
    says: "ABRA_DIR moves the state folder, wherever HOME is",
    setting: "honoursStateFolder",
    otherwise: "no unit works: abra finds no app, and every run says so",
    probe: async (app) => {
      await app.deployed(version.first);
      mustEqual("the stack", await app.namesOf("service"), [`${app.stack}_app`]);
    },
  },
  {
    id: "bare-state-folder",
    mark: "guessed",
    source: "open",
    says: "a state folder needs an .env below servers/default and a clone below recipes, no more",
    otherwise: "no unit works: every run fails, and says what abra misses",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.undeployed();
    },
  },
  {
    id: "no-terminal",
    mark: "known",
    source: "read",
    says: "deploy and undeploy work without a terminal and without input",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.checkoutDeployed();
      await app.undeployed();
    },
  },
  {
    id: "offline",
    mark: "known",
    source: "read",
    says: "with -o, a deploy works while the upstream of the recipe cannot be reached",
    probe: async (app) => {
      await app.deployed(version.second);
    },
  },
  {
    id: "undeploy-offline",
    mark: "guessed",
    source: "open",
    says: "undeploy works while the upstream of the recipe cannot be reached",
    setting: "undeployFetches",
    probe: async (app) => {
      await app.deployed(version.first);
      await app.undeployed();
    },
  },
  {
    id: "failure",
    mark: "known",
    source: "read",
    says: "a failure is status 1 and a line with FATA on standard error",
    probe: async (app) => {
      const { exitCode, stderr } = await app.deploy("9.9.9+1.37.0");
      mustEqual("the status", exitCode, 1);
      must(stderr.includes("FATA"), `standard error is '${stderr}'`);
    },
  },
  {
    id: "no-colours",
    mark: "guessed",
    source: "open",
    says: "what it prints has no colours when it is not on a terminal",
    otherwise:
      "nothing: no unit decides by what abra prints, and colours are taken out of what is quoted (adapters/program.test.ts)",
    probe: async (app) => {
      const good = await app.deployed(version.first);
      const bad = await app.deploy("9.9.9+1.37.0");
      const printed = good.stdout + good.stderr + bad.stdout + bad.stderr;
      must(!printed.includes(escapeCharacter), `it printed ${JSON.stringify(printed)}`);
    },
  },
  {
    id: "two-at-once",
    mark: "known",
    source: "read",
    says: "two calls at once do not disturb each other when each has its own state folder",
    probe: async (app) => {
      const other = await app.another();
      await Promise.all([app.deployed(version.first), other.deployed(version.second)]);
      mustEqual("one", app.type, `probe:${version.first}`);
      mustEqual("the other", other.type, `probe:${version.second}`);
    },
  },
  {
    id: "no-env-file",
    mark: "known",
    source: "read",
    says: "an app without an .env can be neither deployed nor undeployed",
    probe: async (app) => {
      await app.deployed(version.first);
      app.removeEnv();
      must((await app.deploy(version.first)).exitCode !== 0, "it was deployed");
      must((await app.undeploy()).exitCode !== 0, "it was undeployed");
    },
  },
];
