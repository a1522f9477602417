import { secretVariable } from "../../adapters/compose.ts";
import type { Git } from "../../adapters/git.ts";
import type { ResourceOf } from "../../desired-state.ts";
import { defineLines } from "../../engine/line.ts";

export const secretVariableLines = defineLines({
  "recipe-without-secret": {
    as: "failed",
    says: "the recipe {recipe} at {version} names no variable for the version of its secret {secret} in {files}: deploy a release whose compose files have that secret, or see what it is called there now",
  },
});

type Checkout = ResourceOf<"checkout">;

/**
 * The slots that the names of variables fill, each with its value: undefined as long as the recipe is
 * not here.
 *
 * @throws {Stop} when the recipe has no such secret
 */
export async function secretVariablesOf(
  { recipe, directory, secretVariables }: Checkout,
  revision: { readonly commit: string; readonly version: string } | undefined,
  git: Git,
): Promise<readonly (readonly [string, string | undefined])[]> {
  if (secretVariables === undefined) return [];
  const { composeFiles, slots } = secretVariables;
  const wanted = Object.entries(slots);
  if (revision === undefined) return wanted.map(([, { slot }]) => [slot, undefined]);
  const { commit, version } = revision;
  const texts: string[] = [];
  for (const file of composeFiles) texts.push((await git.read(directory, commit, file)) ?? "");
  const found: [string, string][] = [];
  for (const [secret, { slot }] of wanted) {
    const variable = await secretVariable(secret, texts);
    if (variable === undefined) {
      const values = { recipe, version, secret, files: composeFiles.join(", ") };
      throw secretVariableLines.stop("recipe-without-secret", values);
    }
    found.push([slot, variable]);
  }
  return found;
}
