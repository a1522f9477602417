import * as z from "zod";
import { createToken, type ForgeAccount } from "./account.ts";
import type { Gitea } from "./gitea.ts";

/** What the token of the bridge's account may do, as docs/enroll-recipe.md has it. */
export const bridgeScopes = [
  "write:issue",
  "read:repository",
  "read:organization",
  "read:user",
] as const;

/** What a hook tells the bridge of, as that page has it: of comments, and of pushes to pull requests. */
export const hookEvents = ["pull_request_comment", "pull_request_sync"] as const;

/** An organisation of recipes on a forge, with its people. */
export interface RecipesOrganisation {
  readonly name: string;
  /** The bridge's own account: may read, and comment. */
  readonly bot: ForgeAccount;
  /** Of the bot, with what the bridge needs and no more. */
  readonly botToken: string;
  /** A member whom nobody outside sees. */
  readonly member: ForgeAccount;
}

/** Makes an organisation with an account for the bridge and a member. @param owner an administrator of the forge */
export async function makeRecipes(
  gitea: Gitea,
  owner: ForgeAccount,
  name = "recipes",
): Promise<RecipesOrganisation> {
  await owner.createOrganisation(name);
  const bot = await gitea.createAccount("ci-bot");
  const member = await gitea.createAccount("member");
  await addTeam(owner, name, { name: "robots", permission: "read", login: bot.login });
  await addTeam(owner, name, { name: "maintainers", permission: "write", login: member.login });
  const botToken = await createToken(gitea.url, bot.login, bot.password, bridgeScopes);
  return { name, bot, botToken, member };
}

/** Makes a team over all repositories, with one person in it. @returns its number */
export async function addTeam(
  owner: ForgeAccount,
  organisation: string,
  team: { readonly name: string; readonly permission: string; readonly login: string },
): Promise<number> {
  const { name, permission, login } = team;
  const units = ["repo.code", "repo.issues", "repo.pulls"];
  const { id } = await owner.done(
    z.object({ id: z.int() }),
    ...(["POST", `orgs/${organisation}/teams`] as const),
    { name, permission, units, includes_all_repositories: true },
  );
  await owner.done(z.unknown(), "PUT", `teams/${id}/members/${login}`);
  return id;
}
