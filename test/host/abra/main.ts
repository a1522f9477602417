// The stand-in for abra, of which no copy can be had in development and CI. It deploys for real, with
// Docker's own client, and behaves as contract.ts says: a green test that uses it says that a unit
// copes with that contract, and not that abra keeps it.
import { spawnSync } from "node:child_process";
import { parseArguments, usage } from "./arguments.ts";
import { deploy } from "./deploy.ts";
import { Fatal } from "./fatal.ts";
import { readSettings } from "./settings.ts";
import { undeploy } from "./undeploy.ts";

/** The version whose documents the contract follows. */
const version = "abra version 0.13.0-beta (stand-in)";

/** `sysexits.h`, EX_USAGE: nothing that abra itself ends with. */
const usageStatus = 64;

/** Every call is in the journal under this name, so that a test can say that there was none. */
const journalName = "abra-stand-in";

async function main(args: readonly string[]): Promise<void> {
  const command = parseArguments(args);
  if (command === undefined) {
    console.error(`abra (stand-in): only these arguments are accepted:\n${usage}`);
    process.exitCode = usageStatus;
    return;
  }
  const settings = readSettings();
  switch (command.name) {
    case "version":
      console.log(version);
      return;
    case "deploy":
      deploy(command.domain, command.version, settings);
      return;
    case "deploy-checkout":
      deploy(command.domain, "chaos", settings);
      return;
    case "undeploy":
      await undeploy(command.domain, settings);
  }
}

const args = process.argv.slice(2);
spawnSync("/usr/bin/logger", ["--tag", journalName, "--", ["abra", ...args].join(" ")]);
main(args).catch((error: unknown) => {
  if (!(error instanceof Fatal)) throw error;
  console.error(`FATA ${error.message}`);
  process.exitCode = 1;
});
