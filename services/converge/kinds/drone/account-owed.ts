import type { ResourceOf } from "../../desired-state.ts";
import type { Stop } from "../../engine/line.ts";
import { droneAccountLines } from "./account-lines.ts";
import type { AccountSight } from "./account-plan.ts";

type DroneAccount = ResourceOf<"drone-account">;

/** What the forge must let an account do, in the words of its own settings. */
export const rights = {
  owner: { word: "admin", of: "the role Administrator" },
  starter: { word: "write", of: "the role Write" },
} as const;

/** What somebody else has to do first; undefined when nothing is owed. */
export function owedBy(resource: DroneAccount, sight: AccountSight): Stop | undefined {
  const { login, server, forge, repository, account } = resource;
  if (account.role === "metrics") return undefined;
  if (sight.is === "refused" && account.role === "owner" && !sight.isStartedWith) {
    return onItsWay(resource);
  }
  if (sight.is !== "there") return undefined;
  if (!sight.isRight && account.role === "owner") {
    const { stack } = account.secret;
    return droneAccountLines.stop("drone-owner-not-admin", { login, stack });
  }
  if (sight.onForge === null) return undefined;
  if (sight.onForge.is === "logged-out") {
    return account.passwordFile === null
      ? droneAccountLines.stop("drone-login-owed", { login, server, forge })
      : undefined;
  }
  const { word, of: right } = rights[account.role];
  const { permissions } = sight.onForge;
  const values = { login, repository, forge, right };
  if (permissions === undefined) return droneAccountLines.stop("drone-account-unseen", values);
  return permissions[word]
    ? undefined
    : droneAccountLines.stop("drone-account-without-right", values);
}

export function onItsWay({ login, tokenFile: path }: DroneAccount): Stop {
  return droneAccountLines.stop("drone-token-on-its-way", { login, path });
}
