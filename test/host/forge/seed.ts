import { rmSync } from "node:fs";
import { join } from "node:path";
import { createToken } from "../../forge/account.ts";
import { Gitea } from "../../forge/gitea.ts";
import { makeRecipes } from "../../forge/recipes.ts";
import { makeScratch } from "../../scratch.ts";

/** Where Drone answers on the hosts of the tests. */
export const droneAddress = "https://drone.ci.example.org";

/** The repository whose pipeline builds have. */
export const ciRepository = "ci/cc-ci";

/** Who has an account on the forge, each with what it may do with that repository. */
export const accounts = {
  owner: { login: "ci-owner", right: "admin" },
  bridge: { login: "ci-bridge", right: "write" },
  maintainer: { login: "maintainer", right: "read" },
} as const;

/** The data of a Gitea that has been used, and what is known of it. */
export interface SeededForge {
  /** Its folder, to be copied. */
  readonly folder: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** By login. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly tokens: Readonly<Record<string, string>>;
  /** Of the CI repository, the newest one. */
  readonly commit: string;
  /** Of the account `ci-bot`, with what the bridge needs; undefined where there are no recipes. */
  readonly botToken: string | undefined;
}

/** What else is on the forge. */
export interface SeedOptions {
  /** An organisation `recipes`, with the bridge's account, a member and the recipe `wiki`. @default false */
  readonly hasRecipes?: boolean;
}

const seeded = new Map<boolean, Promise<SeededForge>>();

/**
 * A Gitea with accounts, the CI repository and an OAuth client for Drone, made once for all hosts of a
 * worker, and stopped.
 *
 * @param pipeline text of the CI repository's pipeline, and its path there
 */
export async function seededForge(
  pipeline: { readonly path: string; readonly text: string },
  { hasRecipes = false }: SeedOptions = {},
): Promise<SeededForge> {
  const forge = seeded.get(hasRecipes) ?? seed(pipeline, hasRecipes);
  seeded.set(hasRecipes, forge);
  return await forge;
}

async function seed(
  pipeline: { path: string; text: string },
  hasRecipes: boolean,
): Promise<SeededForge> {
  const scratch = makeScratch();
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
  const gitea = await Gitea.start(scratch);
  try {
    const admin = await gitea.createAccount("forge-admin", { isAdmin: true });
    await admin.createOrganisation("ci");
    await admin.createRepository("ci", "cc-ci");
    const commit = await admin.commitFile(ciRepository, "main", pipeline.path, pipeline.text);
    const all = [admin];
    for (const { login, right } of Object.values(accounts)) {
      all.push(await gitea.createAccount(login));
      await admin.addCollaborator(ciRepository, login, right);
    }
    const recipes = hasRecipes ? await makeRecipes(gitea, admin) : undefined;
    if (recipes !== undefined) {
      all.push(recipes.bot, recipes.member);
      await admin.createRepository(recipes.name, "wiki");
    }
    const tokens: Record<string, string> = {};
    for (const { login, password } of all) {
      tokens[login] = await createToken(gitea.url, login, password, ["all"]);
    }
    const client = await admin.createOAuthClient("drone", `${droneAddress}/login`);
    return {
      folder: join(scratch, "gitea"),
      clientId: client.clientId,
      clientSecret: client.clientSecret,
      passwords: Object.fromEntries(all.map(({ login, password }) => [login, password])),
      tokens,
      commit,
      botToken: recipes?.botToken,
    };
  } finally {
    await gitea.stop();
  }
}
