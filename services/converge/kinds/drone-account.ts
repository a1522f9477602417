import { randomBytes } from "node:crypto";
import type { DroneClient } from "../../lib/drone/client.ts";
import { LoginRefusal } from "../../lib/drone/login.ts";
import type { Repository, User } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import type { Task } from "../adapters/docker-schemas.ts";
import { type ResourceOf, versionDigits } from "../desired-state.ts";
import { defineLines, type Stop } from "../engine/line.ts";
import { sha256 } from "../engine/stable-json.ts";
import type { Context, Steps } from "../engine/steps.ts";
import {
  type AccountSight,
  type AccountWork,
  type OnForge,
  planAccount,
} from "./drone/account-plan.ts";
import { droneAnswer, isToBeDeployed, ownerAnswer, tokenIn } from "./drone/answers.ts";

export const droneAccountLines = defineLines({
  "drone-login-owed": {
    as: "pending",
    says: "Drone has no login of {login} on the forge, or a dead one: open {server}/login once in a browser, as {login} of {forge}; the next run goes on",
  },
  "drone-account-unseen": {
    as: "pending",
    says: "{login} cannot see {repository} on {forge}: give that account {right} there; the next run goes on",
  },
  "drone-account-without-right": {
    as: "pending",
    says: "{login} may not do enough with {repository} on {forge}: give that account {right} there, and nothing else; the next run goes on",
  },
  "drone-token-on-its-way": {
    as: "pending",
    says: "Drone was not started yet with the token of {login} that lies in {path}: 'systemctl start cc-ci-drone' deploys it; the next run goes on",
  },
  "drone-owner-not-admin": {
    as: "failed",
    says: "{login} is no administrator of Drone any more, and only a start of it makes it one again: run 'docker service update --force {stack}_app'",
  },
  "drone-login-silent": {
    as: "pending",
    says: "{login} was not logged in to Drone, for something on the way does not answer ({words}): the next run tries again",
  },
  "drone-password-refused": {
    as: "failed",
    says: "the forge {forge} does not take {login} with the password in {path}: put the right one there, or take it out of cc-ci.yaml and log in with a browser",
  },
  "drone-login-by-person": {
    as: "pending",
    says: "the forge wants more of {login} than a password ({words}): open {server}/login once in a browser, as {login} of {forge}; the next run goes on",
  },
  "drone-login-refused": {
    as: "failed",
    says: "Drone does not let {login} in ({words}): see that client id and secret in cc-ci.yaml are those of the OAuth client on {forge}, and that its redirect URI is {server}/login",
  },
  "drone-account-otherwise": {
    as: "failed",
    says: "{login} is not in Drone what it was made ({what}): see who changes it there; the next run makes it so again",
  },
});

type DroneAccount = ResourceOf<"drone-account">;

/** What the forge must let an account do, in the words of its own settings. */
const rights = {
  owner: { word: "admin", of: "the role Administrator" },
  starter: { word: "write", of: "the role Write" },
} as const;

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
    const onForge = await ask(() => seenOnForge(client, user, slug));
    const known = (await ask(() => knownTo(client, slug)))?.permissions;
    // What Drone has read once it goes by for an hour.
    const { word } = rights[account.role];
    const isGiven = onForge.is === "logged-in" && onForge.permissions?.[word] === true;
    const isSynced = known !== undefined && (known[word] || !isGiven);
    return {
      ...{ is: "there", isRight, onForge, isSynced },
      isLogged: account.role === "owner" && (await standsInLog(user)),
    };
  };

  const refused = async (): Promise<AccountSight> => {
    if (account.role === "owner") {
      return { is: "refused", isTaken: true, isStartedWith: await isStartedWith() };
    }
    const client = await owner();
    const { ownerTokenFile } = account;
    const asked = { ...resource, ownerTokenFile };
    const other = await ownerAnswer(asked, context, () => client.findUser(login));
    return { is: "refused", isTaken: other !== undefined, isStartedWith: false };
  };

  /**
   * A token that Drone did not make was told to it when that started, which says in its log whatever it did
   * not know yet; so does an account that is younger than its token; and so was one that Drone had forgotten
   * again by then, since it was started once more with the token before it.
   */
  const standsInLog = async ({ created }: User): Promise<boolean> => {
    const token = await tokenIn(path, `the token of ${login} in Drone`, context);
    if (!dronesOwn.test(token)) return true;
    const written = await world.files.modified(path);
    if (written === undefined) return false;
    // What a clock that was ahead has dated tells nothing.
    const isYounger = created !== null && created >= written && created <= world.clock.now();
    return isYounger || (await wasStartedWithAnother(written));
  };

  const wasStartedWithAnother = async (since: Date): Promise<boolean> => {
    if (account.role !== "owner") return false;
    const [wanted, base] = [
      await wantedSecret(),
      `${account.secret.stack}_${account.secret.name}_`,
    ];
    for (const { ID } of await world.docker.services(account.secret.stack)) {
      const tasks = await world.docker.tasks(ID);
      const isAnother = tasks.some(
        ({ CreatedAt, Spec }) =>
          new Date(CreatedAt) > since &&
          secretsOf(Spec).some((name) => name.startsWith(base) && name !== wanted),
      );
      if (isAnother) return true;
    }
    return false;
  };

  const isStartedWith = async (): Promise<boolean> => {
    if (account.role !== "owner") return false;
    const wanted = await wantedSecret();
    const services = await world.docker.services(account.secret.stack);
    return services.some(
      ({ Spec }) => wanted !== undefined && secretsOf(Spec.TaskTemplate).includes(wanted),
    );
  };

  /** Name of the swarm secret that is made of the token's file; undefined where there is none. */
  const wantedSecret = async (): Promise<string | undefined> => {
    if (account.role !== "owner") return undefined;
    const { stack, name } = account.secret;
    const content = await world.files.read(path);
    if (content === undefined) return undefined;
    const digest = sha256(Buffer.concat([Buffer.from(`${name}\0`), content]));
    return `${stack}_${name}_${digest.slice(0, versionDigits)}`;
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
      if (left.length === 0) return;
      const what = left.map(({ why }) => why).join("; ");
      throw droneAccountLines.stop("drone-account-otherwise", { login, what });
    },
  };
}

/** Names of the swarm secrets that a task has. */
function secretsOf({ ContainerSpec }: Task["Spec"]): readonly string[] {
  return (ContainerSpec?.Secrets ?? []).map(({ SecretName }) => SecretName);
}

/** Whether the token is one that a run would have made by now, and nobody can have it yet. */
async function isYetToBeMade(path: string, { mayWait, resources, world }: Context) {
  const isOurs = resources.some(
    (each) => each.kind === "host-file" && each.path === path && each.origin.by === "host",
  );
  return !mayWait && isOurs && (await world.files.read(path)) === undefined;
}

/** How Drone writes the tokens that it makes itself, which it tells in its answer alone. */
const dronesOwn = /^[A-Za-z0-9]{32}$/;
const renewedBytes = 32;

async function seenOnForge(client: DroneClient, user: User, slug: string): Promise<OnForge> {
  // Drone would ask as nobody, and the forge shows a public repository to anybody.
  if (user.last_login === null) return { is: "logged-out" };
  try {
    return { is: "logged-in", permissions: await client.permissions(slug) };
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

/** What somebody else has to do first; undefined when nothing is owed. */
function owedBy(resource: DroneAccount, sight: AccountSight): Stop | undefined {
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

function onItsWay({ login, tokenFile: path }: DroneAccount): Stop {
  return droneAccountLines.stop("drone-token-on-its-way", { login, path });
}

/** @throws {Stop} when Drone has no login of the account after it */
async function logIn(
  { server, forge, login }: DroneAccount,
  passwordFile: string,
  context: Context,
): Promise<void> {
  const password = await context.judged.read(passwordFile, context.world.files);
  const path = passwordFile;
  try {
    const text = (password ?? Buffer.alloc(0)).toString("utf8").replace(/\r?\n$/, "");
    await context.world.logIn({ server, forge, login, password: text });
  } catch (error) {
    if (!(error instanceof LoginRefusal)) throw error;
    const { trouble, message: words } = error;
    switch (trouble) {
      case "silent":
        throw droneAccountLines.stop("drone-login-silent", { login, words });
      case "password-refused":
        throw droneAccountLines.stop("drone-password-refused", { forge, login, path });
      case "person-wanted":
        throw droneAccountLines.stop("drone-login-by-person", { login, words, server, forge });
      case "refused":
      case "elsewhere":
        throw droneAccountLines.stop("drone-login-refused", { login, words, forge, server });
    }
  }
}
