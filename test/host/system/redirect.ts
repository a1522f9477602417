import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { repositoryUrl } from "../git-server/install.ts";
import { releases } from "../recipes/releases.ts";
import type { RecipeName } from "../recipes/repositories.ts";
import { desiredStates, type System } from "./system.ts";

/**
 * Leads git on the host from the public repository of a recipe to the host's own of that name: what
 * is committed can be booted as it is.
 */
export function redirectRecipes(root: string, system: System): void {
  const urls = desiredStates(system)
    .flatMap(({ resources }) => resources)
    .flatMap((resource) => (resource.kind === "checkout" ? [resource.repository] : []));
  const sections = [...new Set(urls)].flatMap((url) => {
    const name = basename(url, ".git");
    if (!isOurs(name) || url === repositoryUrl(name)) return [];
    return `[url "${repositoryUrl(name)}"]\n\tinsteadOf = ${url}\n`;
  });
  writeFileSync(join(root, "etc/gitconfig"), sections.join(""));
}

function isOurs(name: string): name is RecipeName {
  return Object.hasOwn(releases, name);
}
