import { Construct } from "constructs";
import { NixosModule } from "../nixos/nixos-module.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";

/** The oldest abra whose command line takes flags after the positional arguments. */
const oldestVersion = "0.10";

/**
 * The program that deploys recipes: which one is the NixOS option `cc-ci.packages.abra`. Knows where
 * the files of each app lie, so that nobody shares a state folder.
 */
export class Abra extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new NixosModule(this, "module", {
      name: "abra",
      template: "coop-cloud/abra.nix",
      context: () => ({
        oldestVersion,
        message: `cc-ci: cc-ci.packages.abra must be abra ${oldestVersion} or newer`,
      }),
    });
  }

  /** The `ABRA_DIR` of the app at `domain`; one an app, since abra moves what it finds there. */
  directory(domain: string): string {
    return statePath(`${stateFolders.apps}/${domain}`);
  }

  /** The `.env` of the app at `domain`; `default` is abra's name of the local server. */
  envFile(domain: string): string {
    return `${this.directory(domain)}/servers/default/${domain}.env`;
  }

  /** The clone of a recipe that the app at `domain` is deployed from. */
  checkout(domain: string, recipe: string): string {
    return `${this.directory(domain)}/recipes/${recipe}`;
  }
}
