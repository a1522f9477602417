import { findApp, writeVersion } from "./app.ts";
import { Fatal } from "./fatal.ts";
import { docker, git } from "./programs.ts";
import { mustExist } from "./recipe.ts";
import type { Settings } from "./settings.ts";
import { labelsOf, removed, servicesOf } from "./stack.ts";

/** Removes the services, networks and configs of an app; volumes and secrets stay. */
export async function undeploy(domain: string, settings: Settings): Promise<void> {
  const app = findApp(domain, settings);
  if (settings.undeployNeedsRecipe) mustExist(app.checkout, app.recipe);
  if (settings.undeployFetches) git(app.checkout, ["fetch", "--quiet", "--tags"]);
  const services = servicesOf(app.stack);
  if (services.length === 0) throw new Fatal(`${domain} is not deployed?`);
  const main = `${app.stack}_app`;
  const version = services.includes(main) ? deployedVersion(labelsOf(main)) : undefined;
  docker(["stack", "rm", app.stack]);
  if (settings.waitsForRemoval) await removed(app.stack);
  if (settings.rewritesType === "deploy-and-undeploy" && version !== undefined) {
    writeVersion(app, version, settings);
  }
}

/** What labels say: the commit of a chaos deploy, else the release. */
function deployedVersion(labels: string): string | undefined {
  const value = (name: string): string | undefined =>
    new RegExp(`^coop-cloud\\..*\\.${name}=(.*)$`, "m").exec(labels)?.[1];
  return value("chaos-version") ?? value("version");
}
