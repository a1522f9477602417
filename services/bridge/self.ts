import type { BridgeSettings } from "../lib/bridge-settings.ts";
import type { ForgeClient } from "../lib/forge/client.ts";
import { ForgeRefusal } from "../lib/forge/trouble.ts";
import type { Self } from "./pipeline/bridge.ts";

/** What was found of our own account. */
export type Found =
  | { readonly as: "fit"; readonly self: Self }
  /** It cannot do what it is for: a person has to see to it. */
  | { readonly as: "unfit"; readonly why: string }
  | { readonly as: "silence"; readonly why: string };

/** Sees whose token we have, and whether the forge tells that account who is a member. */
export async function findSelf(
  forge: ForgeClient,
  { forge: { server, organisation, team } }: BridgeSettings,
): Promise<Found> {
  try {
    const { id, login } = await forge.user();
    if ((await forge.membership(organisation, login)) !== "member") {
      const why = `the bridge's account ${login} is no member of ${organisation} on ${server}, so the forge does not tell it who is: add it to a team there; until then nothing is acted on`;
      return { as: "unfit", why };
    }
    if (team !== null) await forge.isInTeam(team, login);
    return { as: "fit", self: { id, login } };
  } catch (error) {
    if (!(error instanceof ForgeRefusal)) throw error;
    if (error.trouble === "token-refused" || error.trouble === "not-allowed") {
      const why = `${server} refuses the bridge's token (${error.message}): make one with the scopes write:issue, read:repository, read:organization and read:user, and put it in its file; until then nothing is acted on`;
      return { as: "unfit", why };
    }
    return { as: "silence", why: error.message };
  }
}
