import { randomBytes } from "node:crypto";
import * as z from "zod";
import { now } from "../environment.ts";
import type { Permission, Repository, User } from "../records.ts";
import { builds } from "./builds.ts";
import { No, noRows, notFound, unauthorized } from "./no.ts";
import { bodyOf, type Call, type Handler, someone, type World } from "./server.ts";
import { remoteCalled, rightsOf } from "./sync.ts";
import { withoutSigner } from "./users.ts";

/** What was read from the forge about somebody's rights counts for this long, in seconds. */
const rightsSeconds = 3600;

type Right = "read" | "write" | "admin";

/** `/api/repos/{owner}/{name}…` */
export const repositories: Handler = async (world, call) => {
  const [owner = "", name = "", ...rest] = call.path;
  if (name === "") throw new No(404, "");
  const repository = world.store.repositoryCalled(`${owner}/${name}`);
  if (repository === undefined) throw call.user === undefined ? unauthorized : notFound;
  const rights = await freshRights(world, call, repository);
  demand(call, repository, rights, "read");
  if (rest[0] === "builds") {
    const demandWrite = (): void => demand(call, repository, rights, "write");
    return await builds(world, { ...call, path: rest.slice(1) }, repository, demandWrite);
  }
  if (rest.length === 0 && call.method === "GET") {
    const { user_id, repo_uid, ...permissions } = rights ?? { user_id: 0, repo_uid: "" };
    const known = rights === undefined ? {} : { permissions };
    return { ...withoutSigner(repository), ...known };
  }
  demand(call, repository, rights, "admin");
  switch (`${call.method} ${rest.join("/")}`) {
    case "PATCH ":
      await change(call, repository);
      break;
    case "POST ":
      await enable(world, call, repository);
      break;
    case "DELETE ":
      repository.active = false;
      break;
    case "POST chown":
      repository.user_id = someone(call).id;
      break;
    case "POST repair":
      await repair(world, repository);
      break;
    default:
      throw new No(405, "");
  }
  repository.updated = now();
  repository.version += 1;
  world.store.save();
  return withoutSigner(repository);
};

/**
 * What the caller may do, from the forge when it is not known or an hour old.
 *
 * @returns undefined for a guest, and for an account that has not seen the repository on the forge
 */
async function freshRights(
  { forge, store }: World,
  { user }: Call,
  repository: Repository,
): Promise<Permission | undefined> {
  const rights = user && rightsOf(store, user, repository);
  if (user === undefined || rights === undefined) return undefined;
  if (rights.synced + rightsSeconds >= now()) return rights;
  try {
    const { permissions } = await remoteCalled(forge, user, repository.slug);
    const { pull: read, push: write, admin } = permissions;
    Object.assign(rights, { read, write, admin, synced: now() });
    store.save();
    return rights;
  } catch {
    // Whatever the forge said: Drone tells nobody.
    throw notFound;
  }
}

function demand(
  { user }: Call,
  { visibility }: Repository,
  rights: Permission | undefined,
  right: Right,
): void {
  if (user === undefined && right !== "read") throw unauthorized;
  if (user?.admin) return;
  if (right === "read") {
    if (visibility === "public") return;
    if (user === undefined) throw unauthorized;
    if (visibility === "internal") return;
  }
  const needed: readonly Right[] =
    right === "read"
      ? ["read"]
      : right === "write"
        ? ["read", "write"]
        : ["read", "write", "admin"];
  if (rights === undefined || needed.some((each) => !rights[each])) throw notFound;
}

async function enable(world: World, call: Call, repository: Repository): Promise<void> {
  const user = someone(call);
  const { config_path, signer, timeout } = repository;
  const enabled = {
    active: true,
    user_id: user.id,
    config_path: config_path || ".drone.yml",
    signer: signer || randomBytes(16).toString("hex"),
    timeout: timeout || 60,
  };
  // Without its hook nothing of it is kept.
  await makeHook(world, user, { ...repository, ...enabled });
  Object.assign(repository, enabled);
}

/** Makes the hook anew by the owner's login, whoever asks. */
async function repair(world: World, repository: Repository): Promise<void> {
  const owner = world.store.user(repository.user_id);
  if (owner === undefined) throw new No(404, noRows);
  try {
    await remoteCalled(world.forge, owner, repository.slug);
  } catch (error) {
    throw new No(404, error instanceof Error ? error.message : String(error));
  }
  await makeHook(world, owner, repository);
}

const hooksSchema = z.array(z.object({ id: z.int(), config: z.object({ url: z.string() }) }));

/** Makes the hook on the forge anew, with the user's rights there. */
async function makeHook({ forge, settings }: World, user: User, repository: Repository) {
  const path = `repos/${repository.slug}/hooks`;
  const url = `${settings.proto}://${settings.host}/hook`;
  try {
    const hooks = hooksSchema.parse(await forge.ask(user, "GET", `${path}?limit=50`));
    const ours = hooks.find(({ config }) => new URL(config.url).host === new URL(url).host);
    if (ours !== undefined) await forge.ask(user, "DELETE", `${path}/${ours.id}`);
    await forge.ask(user, "POST", path, {
      type: "gitea",
      active: true,
      events: ["push", "create", "delete", "pull_request", "issue_comment"],
      // The secret stands in the address.
      config: {
        ...{ url: `${url}?secret=${repository.signer}`, secret: repository.signer },
        content_type: "json",
      },
    });
  } catch (error) {
    throw new No(500, error instanceof Error ? error.message : String(error));
  }
}

const changeSchema = z.object({
  visibility: z.string().optional(),
  config_path: z.string().optional(),
  protected: z.boolean().optional(),
  ignore_forks: z.boolean().optional(),
  ignore_pull_requests: z.boolean().optional(),
  auto_cancel_pull_requests: z.boolean().optional(),
  auto_cancel_pushes: z.boolean().optional(),
  auto_cancel_running: z.boolean().optional(),
  trusted: z.boolean().optional(),
  timeout: z.int().optional(),
});

async function change(call: Call, repository: Repository): Promise<void> {
  const parsed = changeSchema.safeParse(await bodyOf(call));
  if (!parsed.success) throw new No(400, "json: cannot unmarshal");
  const { trusted, timeout, ...rest } = parsed.data;
  Object.assign(repository, rest);
  // Nobody else is told that it was passed over.
  if (someone(call).admin) {
    repository.trusted = trusted ?? repository.trusted;
    repository.timeout = timeout ?? repository.timeout;
  }
}
