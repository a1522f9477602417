import * as z from "zod";
import { now } from "../environment.ts";
import type { Permission, Repository, User } from "../records.ts";
import type { Forge } from "./forge.ts";
import type { Store } from "./store.ts";

/** What of a repository of the forge is taken over. */
const remoteSchema = z.object({
  id: z.int(),
  name: z.string(),
  full_name: z.string(),
  private: z.boolean(),
  archived: z.boolean(),
  clone_url: z.string(),
  ssh_url: z.string(),
  html_url: z.string(),
  default_branch: z.string(),
  owner: z.object({ login: z.string() }),
  permissions: z.object({ admin: z.boolean(), push: z.boolean(), pull: z.boolean() }),
});

export type Remote = z.infer<typeof remoteSchema>;

const pageSize = 50;

/** Every repository that the forge shows the user. */
export async function remotesOf(forge: Forge, user: User): Promise<readonly Remote[]> {
  const found: Remote[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await forge.ask(user, "GET", `user/repos?page=${page}&limit=${pageSize}`);
    const some = z.array(remoteSchema).parse(answer);
    found.push(...some);
    if (some.length < pageSize) return found;
  }
}

export async function remoteCalled(forge: Forge, user: User, slug: string): Promise<Remote> {
  return remoteSchema.parse(await forge.ask(user, "GET", `repos/${slug}`));
}

/**
 * Learns the user's repositories and rights from the forge. The time of it is noted however it ends.
 *
 * @throws {Error} with the forge's words
 */
export async function sync(forge: Forge, store: Store, user: User): Promise<void> {
  user.syncing = true;
  store.save();
  try {
    const remotes = (await remotesOf(forge, user)).filter(({ archived }) => !archived);
    for (const remote of remotes) takeOver(store, user, remote);
    const { permissions } = store.data;
    const seen = new Set(remotes.map(({ id }) => String(id)));
    const stay = permissions.filter((one) => one.user_id !== user.id || seen.has(one.repo_uid));
    permissions.splice(0, permissions.length, ...stay);
  } finally {
    user.syncing = false;
    user.synced = now();
    store.save();
  }
}

function takeOver(store: Store, user: User, remote: Remote): void {
  const { data } = store;
  const fresh = repositoryOf(remote, 0);
  const known = data.repositories.find(({ uid }) => uid === fresh.uid);
  if (known === undefined) {
    data.repositories.push({ ...fresh, id: store.nextId() });
  } else {
    const { namespace, name, slug, git_http_url, git_ssh_url, link, default_branch } = fresh;
    // Visibility, once taken over, is Drone's own.
    const taken = { namespace, name, slug, git_http_url, git_ssh_url, link, default_branch };
    Object.assign(known, taken, { private: fresh.private });
  }
  // Lists of the forge do not say what may be done: that is asked for at the first call.
  const right = rightsOf(store, user, fresh);
  if (right === undefined) {
    const none = { read: false, write: false, admin: false, synced: 0 };
    data.permissions.push({ user_id: user.id, repo_uid: fresh.uid, ...none });
  } else {
    right.synced = 0;
  }
}

export function rightsOf(
  store: Store,
  user: User,
  { uid }: Pick<Repository, "uid">,
): Permission | undefined {
  return store.data.permissions.find((one) => one.user_id === user.id && one.repo_uid === uid);
}

export function repositoryOf(remote: Remote, id: number): Repository {
  const time = now();
  return {
    id,
    uid: String(remote.id),
    user_id: 0,
    namespace: remote.owner.login,
    name: remote.name,
    slug: `${remote.owner.login}/${remote.name}`,
    scm: "",
    git_http_url: remote.clone_url,
    git_ssh_url: remote.ssh_url,
    link: remote.html_url,
    default_branch: remote.default_branch,
    private: remote.private,
    visibility: remote.private ? "private" : "public",
    active: false,
    config_path: "",
    trusted: false,
    protected: false,
    ignore_forks: false,
    ignore_pull_requests: false,
    auto_cancel_pull_requests: false,
    auto_cancel_pushes: false,
    auto_cancel_running: false,
    timeout: 0,
    counter: 0,
    synced: time,
    created: time,
    updated: time,
    version: 1,
    signer: "",
    archived: false,
  };
}
