import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fatal } from "./fatal.ts";
import { git, lines } from "./programs.ts";

/** @throws {Fatal} when there is no clone: offline, none can be fetched */
export function mustExist(checkout: string, recipe: string): void {
  if (!existsSync(join(checkout, ".git"))) {
    throw new Fatal(`unable to fetch recipe ${recipe}: offline, and no clone of it in ${checkout}`);
  }
}

/** Whether anything differs from the commit, files that git does not know included. */
function isDirty(checkout: string): boolean {
  return git(checkout, ["status", "--porcelain", "--untracked-files=all"]) !== "";
}

/** Moves the checkout to a tag or commit. @throws {Fatal} when there is none of that name */
export function moveTo(checkout: string, recipe: string, version: string): void {
  if (isDirty(checkout)) throw new Fatal(`${recipe} has locally unstaged changes`);
  const found = lines(git(checkout, ["tag", "--list"])).includes(version);
  if (!found && !/^[0-9a-f]{7,40}$/.test(version)) {
    throw new Fatal(`unable to find version ${version} of ${recipe}`);
  }
  git(checkout, ["checkout", "--quiet", "--detach", found ? `refs/tags/${version}` : version]);
}

/** What a chaos deploy calls the version: the commit, and whether there is more than the commit. */
export function checkoutVersion(checkout: string): string {
  const commit = git(checkout, ["rev-parse", "--short=8", "HEAD"]).trim();
  return isDirty(checkout) ? `${commit}+U` : commit;
}

/** The variables that abra.sh exports, read and not run: values of word characters alone. */
export function recipeVersions(checkout: string): Readonly<Record<string, string>> {
  const file = join(checkout, "abra.sh");
  if (!existsSync(file)) return {};
  const matches = readFileSync(file, "utf8").matchAll(/^export\s+(\w+)=(\w+)/gm);
  return Object.fromEntries([...matches].map(([, name = "", value = ""]) => [name, value]));
}

/** Names of the variables that stand in the recipe's `.env.sample` as a setting. */
export function sampleVariables(checkout: string): readonly string[] {
  const file = join(checkout, ".env.sample");
  if (!existsSync(file)) throw new Fatal(`open ${file}: no such file or directory`);
  const matches = readFileSync(file, "utf8").matchAll(/^(\w+)=/gm);
  return [...new Set([...matches].map(([, name = ""]) => name))];
}

/** What breaks a rule of level error, of those that need neither registry nor catalogue. */
export function lintErrors(
  checkout: string,
  services: Readonly<Record<string, { readonly image?: string | undefined }>>,
): readonly string[] {
  const errors: string[] = [];
  if (services.app === undefined) errors.push("no service called 'app'");
  for (const [name, { image = "" }] of Object.entries(services)) {
    const tag = /:([^:/]+)$/.exec(image)?.[1];
    if (tag === undefined || tag === "latest") errors.push(`${name}: no stable tag in ${image}`);
  }
  const kinds = git(checkout, ["for-each-ref", "--format=%(objecttype)", "refs/tags"]);
  if (lines(kinds).includes("commit")) errors.push("a tag without an annotation");
  return errors;
}
