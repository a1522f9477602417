import { randomBytes } from "node:crypto";
import type { DroneClient } from "../../lib/drone/client.ts";
import type { Permissions, Repository, User } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { droneAccountLines } from "./drone/account-lines.ts";
import { logIn } from "./drone/account-login.ts";
import { onItsWay, owedBy, rights } from "./drone/account-owed.ts";
import {
  type AccountSight,
  type AccountWork,
  type OnForge,
  planAccount,
} from "./drone/account-plan.ts";
import { droneAnswer, isToBeDeployed, ownerAnswer, tokenIn } from "./drone/answers.ts";
import { isStartedWith, standsInLog } from "./drone/owner-token.ts";

type DroneAccount = ResourceOf<"drone-account">;

export function droneAccountSteps(resource: DroneAccount, context: Context): Steps {
  const { server, login, repository: slug, account, tokenFile: path } = resource;
  const { world } = context;
  const ask = <Answer>(work: () => Promise<Answer>) => droneAnswer(resource, context, work);
  /** For what would not be the same done twice: whether it was done is for the next run to see. */
  const askOnce = <Answer>(work: () => Promise<Answer>) =>
    droneAnswer({ ...resource, waitSeconds: 0 }, context, work);
  const itself = async () => {
    const token = await tokenIn(path, `the token of ${login} in Drone`, context);
    return world.drone({ server, token });
  };
  const owner = async () => {
    if (account.role === "owner") return await itself();
    const { ownerTokenFile } = account;
    const token = await tokenIn(ownerTokenFile, "the token of Drone's owner account", context);
    return world.drone({ server, token });
  };

  const see = async (): Promise<AccountSight> => {
    if (await isYetToBeMade(path, context)) return await refused();
    try {
      const client = await itself();
      const user = await ask(() => client.user());
      return await seenAccount(client, user);
    } catch (error) {
      if (!(error instanceof DroneRefusal && error.trouble === "token-refused")) throw error;
      return await refused();
    }
  };

  const seenAccount = async (client: DroneClient, user: User): Promise<AccountSight> => {
    const isRight =
      user.login === login &&
      user.active &&
      user.machine === (account.role === "metrics") &&
      user.admin === (account.role === "owner");
    if (account.role === "metrics") {
      return { is: "there", isRight, onForge: null, isSynced: true, isLogged: false };
    }
    const onForge = await seenOnForge(user, () => ask(() => client.permissions(slug)));
    const known = (await ask(() => knownTo(client, slug)))?.permissions;
    // What Drone has read once it goes by for an hour.
    const { word } = rights[account.role];
    const isGiven = onForge.is === "logged-in" && onForge.permissions?.[word] === true;
    const isSynced = known !== undefined && (known[word] || !isGiven);
    return {
      ...{ is: "there", isRight, onForge, isSynced },
      isLogged:
        account.role === "owner" &&
        (await standsInLog({ path, secret: account.secret }, user, context)),
    };
  };

  const refused = async (): Promise<AccountSight> => {
    if (account.role === "owner") {
      const isOver = await isStartedWith({ path, secret: account.secret }, context);
      return { is: "refused", isTaken: true, isStartedWith: isOver };
    }
    const client = await owner();
    const { ownerTokenFile } = account;
    const asked = { ...resource, ownerTokenFile };
    const other = await ownerAnswer(asked, context, () => client.findUser(login));
    return { is: "refused", isTaken: other !== undefined, isStartedWith: false };
  };

  /** Drone's login of the account has all of its rights, wherever it has any. Nothing stops for that. */
  const warnOfMore = async (): Promise<void> => {
    if (account.role === "metrics") return;
    const client = await itself();
    let all: readonly string[];
    try {
      all = await client.remoteRepositories();
    } catch (error) {
      if (error instanceof DroneRefusal) return;
      throw error;
    }
    const others = all.filter((each) => each.toLowerCase() !== slug.toLowerCase());
    if (others.length === 0) return;
    const values = { login, forge: resource.forge, repository: slug, others: named(others) };
    context.report.warning(droneAccountLines.warning("drone-account-has-more", values));
  };

  const work: AccountWork = {
    logIn: async () => {
      if (account.role === "metrics" || account.passwordFile === null) return;
      await logIn(resource, account.passwordFile, context);
    },
    sync: async () => {
      const client = await itself();
      await ask(() => client.sync());
    },
    create: async () => {
      const client = await owner();
      const token = await tokenIn(path, `the token of ${login} in Drone`, context);
      await askOnce(() => client.createUser({ login, token, machine: account.role === "metrics" }));
    },
    remove: async () => {
      const client = await owner();
      await ask(() => client.removeUser(login));
    },
    rotate: async () => {
      const client = await itself();
      const token = await askOnce(() => client.rotateToken());
      // Killed before this is written, the next run finds that no known token counts, and renews it.
      await world.files.write(path, token);
    },
    renew: async () => {
      await world.files.write(path, randomBytes(renewedBytes).toString("hex"));
      throw onItsWay(resource);
    },
  };

  return {
    phases: ["apply", "seal"],
    plan: async () => {
      let sight: AccountSight;
      try {
        sight = await see();
      } catch (error) {
        if (context.mayWait || !isToBeDeployed(server, context)) throw error;
        sight = { is: "not-yet" };
      }
      if (sight.is === "refused" && isToBeDeployed(server, context)) sight = { is: "not-yet" };
      const calls = planAccount(resource, sight, work);
      // As long as something can be done, that comes first.
      const isIdle = calls.every(({ phase }) => phase === "seal");
      const owed = isIdle ? owedBy(resource, sight) : undefined;
      if (owed !== undefined) throw owed;
      return calls;
    },
    verify: async () => {
      const sight = await see();
      const owed = owedBy(resource, sight);
      if (owed !== undefined) throw owed;
      const left = planAccount(resource, sight, work).filter(({ phase }) => phase === "apply");
      if (left.length === 0) return await warnOfMore();
      const what = left.map(({ why }) => why).join("; ");
      throw droneAccountLines.stop("drone-account-otherwise", { login, what });
    },
  };
}

/** Whether the token is one that a run would have made by now, and nobody can have it yet. */
async function isYetToBeMade(path: string, { mayWait, resources, world }: Context) {
  const isOurs = resources.some(
    (each) => each.kind === "host-file" && each.path === path && each.origin.by === "host",
  );
  return !mayWait && isOurs && (await world.files.read(path)) === undefined;
}

const renewedBytes = 32;

/** As many as a line names. */
const mostNamed = 5;

function named(slugs: readonly string[]): string {
  const [first, more] = [slugs.toSorted().slice(0, mostNamed), slugs.length - mostNamed];
  return more > 0 ? `${first.join(", ")} and ${more} more` : first.join(", ");
}

/** @param ask for what it may do there, by the login that Drone has of it */
async function seenOnForge(
  user: User,
  ask: () => Promise<Permissions | undefined>,
): Promise<OnForge> {
  // Drone would ask as nobody, and the forge shows a public repository to anybody.
  if (user.last_login === null) return { is: "logged-out" };
  try {
    return { is: "logged-in", permissions: await ask() };
  } catch (error) {
    if (!(error instanceof DroneRefusal && error.trouble === "login-dead")) throw error;
    return { is: "logged-out" };
  }
}

/** Undefined where Drone says that there is no such repository, or not for this account. */
async function knownTo(client: DroneClient, slug: string): Promise<Repository | undefined> {
  try {
    return await client.repository(slug);
  } catch (error) {
    if (!(error instanceof DroneRefusal && error.trouble === "not-found")) throw error;
    return undefined;
  }
}
