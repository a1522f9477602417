import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { now } from "../environment.ts";
import { log } from "../log.ts";
import type { User } from "../records.ts";
import { No, noRows } from "./no.ts";
import { administrator, bodyOf, type Call, type Handler, someone, type World } from "./server.ts";
import type { Settings } from "./settings.ts";
import type { Store } from "./store.ts";
import { remoteCalled, remotesOf, repositoryOf, rightsOf, sync } from "./sync.ts";

/** What an answer shows of an account. */
function shown(user: User) {
  const { token, access, refresh, expiry, ...rest } = user;
  return rest;
}

export function newToken(): string {
  return randomBytes(16).toString("hex");
}

/** Makes the account that the settings name, or mends it where they say something else than before. */
export function bootstrap(store: Store, settings: Settings): void {
  const { first, isDebug } = settings;
  if (first.login === "") return;
  const { login, admin, machine } = first;
  const key = createHash("sha256").update(settings.databaseKey).digest("hex");
  if (store.data.users.length === 0) store.data.key = key;
  if (store.data.key !== key) {
    // What it cannot read it takes for not there, and makes it once more.
    const error = "UNIQUE constraint failed: users.user_hash";
    const account = { login, admin, machine, token: first.token };
    log("error", "bootstrap: cannot create account", { ...account, error });
    throw new Error(error);
  }
  // Each line has the token, like Drone's.
  const say = (message: string, token: string): void => {
    log("info", `bootstrap: ${message}`, { login, admin, machine, token });
  };
  const known = store.userCalled(login);
  if (known === undefined) {
    if (machine && first.token === "") {
      log("error", "bootstrap: cannot create account, missing token");
      throw new Error("You must provide the machine account token");
    }
    const token = first.token || newToken();
    store.data.users.push(newUser(store, { login, admin, machine, token }));
    store.save();
    say("account created", token);
    return;
  }
  if (isDebug) say("updating account", first.token);
  const before = JSON.stringify(known);
  if (first.token !== "" && first.token !== known.token) {
    say("found updated user token", first.token);
    known.token = first.token;
  }
  if (machine !== known.machine) {
    say("found updated machine flag", first.token);
    known.machine = machine;
  }
  if (admin !== known.admin) {
    say("found updated admin flag", first.token);
    known.admin = admin;
  }
  if (JSON.stringify(known) === before) return;
  known.updated = now();
  store.save();
  say("account successfully updated", first.token);
}

export function newUser(
  store: Store,
  user: Pick<User, "login" | "admin" | "machine" | "token"> & Partial<User>,
): User {
  const time = now();
  return {
    ...{ id: store.nextId(), email: "", active: true, avatar: "", syncing: false, synced: 0 },
    ...{ created: time, updated: time, last_login: 0, access: "", refresh: "", expiry: 0 },
    ...user,
  };
}

/** `/api/user…`: the account of whoever asks. */
export const user: Handler = async (world, call) => {
  const { forge, store } = world;
  const viewer = someone(call);
  const asked = `${call.method} ${call.path.slice(0, 2).join("/")}`;
  switch (asked) {
    case "GET ":
      return shown(viewer);
    case "POST token":
      if (call.query.get("rotate") === "true") {
        viewer.token = newToken();
        store.save();
      }
      return { ...shown(viewer), token: viewer.token };
    case "GET repos":
      return ownRepositories(world, viewer);
    case "POST repos":
      await orInternal(() => sync(forge, store, viewer));
      return ownRepositories(world, viewer);
    case "GET remote/repos": {
      const [, , owner, name] = call.path;
      if (name === undefined) {
        const remotes = await orInternal(() => remotesOf(forge, viewer));
        return remotes.map((remote) => withoutSigner(repositoryOf(remote, 0)));
      }
      const remote = await orInternal(() => remoteCalled(forge, viewer, `${owner}/${name}`));
      const { pull: read, push: write, admin } = remote.permissions;
      return { ...withoutSigner(repositoryOf(remote, 0)), permissions: { read, write, admin } };
    }
    default:
      throw new No(405, "");
  }
};

const accountSchema = z.object({
  login: z.string(),
  machine: z.boolean().default(false),
  admin: z.boolean().default(false),
  token: z.string().default(""),
});

const changeSchema = z.object({ admin: z.boolean().optional() });

/** `/api/users…`: all accounts. */
export const users: Handler = async ({ store }, call) => {
  administrator(call);
  const [login, ...rest] = call.path;
  if (login === undefined) {
    if (call.method === "GET") return store.data.users.map(shown);
    if (call.method === "POST") return await createAccount(store, call);
    throw new No(405, "");
  }
  const found = store.userCalled(login);
  if (found === undefined) throw new No(404, noRows);
  switch (`${call.method} ${rest.join("/")}`) {
    case "GET ":
      return shown(found);
    case "PATCH ":
      found.admin = changeSchema.parse(await bodyOf(call)).admin ?? found.admin;
      store.save();
      return shown(found);
    case "POST token/rotate":
      found.token = newToken();
      store.save();
      return { ...shown(found), message: "Token rotated successfully." };
    case "DELETE ":
      store.data.users.splice(store.data.users.indexOf(found), 1);
      store.save();
      return null;
    default:
      throw new No(405, "");
  }
};

async function createAccount(store: Store, call: Call): Promise<unknown> {
  const wanted = accountSchema.parse(await bodyOf(call));
  if (!/^[.a-zA-Z0-9_-]{1,50}$/.test(wanted.login)) {
    throw new No(400, "Invalid character in username");
  }
  if (store.userCalled(wanted.login) !== undefined) {
    throw new No(500, "UNIQUE constraint failed: users.user_login");
  }
  const made = newUser(store, { ...wanted, token: wanted.token || newToken() });
  store.data.users.push(made);
  store.save();
  return made.machine ? { ...shown(made), token: made.token } : shown(made);
}

function ownRepositories({ store }: World, viewer: User) {
  return store.data.repositories
    .filter((each) => rightsOf(store, viewer, each) !== undefined)
    .map(withoutSigner);
}

export function withoutSigner<Kind extends { readonly signer: string }>(repository: Kind) {
  const { signer, ...rest } = repository;
  return rest;
}

async function orInternal<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw new No(500, error instanceof Error ? error.message : String(error));
  }
}
