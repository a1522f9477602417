import type { User } from "../../../lib/drone/schemas.ts";
import type { Task } from "../../adapters/docker-schemas.ts";
import { type ResourceOf, versionDigits } from "../../desired-state.ts";
import { sha256 } from "../../engine/stable-json.ts";
import type { Context } from "../../engine/steps.ts";
import { tokenIn } from "./answers.ts";

/** The token of Drone's owner, which reaches Drone by a swarm secret, when that is started. */
export interface OwnerToken {
  /** Where it lies. */
  readonly path: string;
  /** The secret, by its stack and its name without a version. */
  readonly secret: Extract<ResourceOf<"drone-account">["account"], { role: "owner" }>["secret"];
}

/** How Drone writes the tokens that it makes itself, which it tells in its answer alone. */
const dronesOwn = /^[A-Za-z0-9]{32}$/;

/**
 * Whether Drone's log has it. A token that Drone did not make was told to it when that started, which says in
 * its log whatever it did not know yet; so does an account that is younger than its token; and so was one that
 * Drone had forgotten again by then, since it was started once more with the token before it.
 */
export async function standsInLog(
  owner: OwnerToken,
  { created }: User,
  context: Context,
): Promise<boolean> {
  const { files, clock } = context.world;
  const token = await tokenIn(owner.path, "the token of Drone's owner account", context);
  if (!dronesOwn.test(token)) return true;
  const written = await files.modified(owner.path);
  if (written === undefined) return false;
  // What a clock that was ahead has dated tells nothing.
  const isYounger = created !== null && created >= written && created <= clock.now();
  return isYounger || (await wasStartedWithAnother(owner, written, context));
}

async function wasStartedWithAnother(
  owner: OwnerToken,
  since: Date,
  context: Context,
): Promise<boolean> {
  const { stack, name } = owner.secret;
  const wanted = await wantedSecret(owner, context);
  return (await tasksOf(stack, context)).some(
    ({ CreatedAt, Spec }) =>
      new Date(CreatedAt) > since &&
      secretsOf(Spec).some((each) => each.startsWith(`${stack}_${name}_`) && each !== wanted),
  );
}

/**
 * Whether the Drone that runs was started with it. The service may name it while the one before still runs:
 * its update may wait, be paused, or be rolled back.
 */
export async function isStartedWith(owner: OwnerToken, context: Context): Promise<boolean> {
  const wanted = await wantedSecret(owner, context);
  if (wanted === undefined) return false;
  const running = (await tasksOf(owner.secret.stack, context)).filter(
    ({ Status }) => Status.State === "running",
  );
  return running.length > 0 && running.every(({ Spec }) => secretsOf(Spec).includes(wanted));
}

async function tasksOf(stack: string, { world: { docker } }: Context): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for (const { ID } of await docker.services(stack)) tasks.push(...(await docker.tasks(ID)));
  return tasks;
}

/** Names of the swarm secrets that a task has. */
function secretsOf({ ContainerSpec }: Task["Spec"]): readonly string[] {
  return (ContainerSpec?.Secrets ?? []).map(({ SecretName }) => SecretName);
}

/** Name of the swarm secret that is made of the token's file; undefined where there is none. */
async function wantedSecret(
  { path, secret: { stack, name } }: OwnerToken,
  { world: { files } }: Context,
): Promise<string | undefined> {
  const content = await files.read(path);
  if (content === undefined) return undefined;
  const digest = sha256(Buffer.concat([Buffer.from(`${name}\0`), content]));
  return `${stack}_${name}_${digest.slice(0, versionDigits)}`;
}
