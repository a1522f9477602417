import { stackLabel } from "../adapters/docker.ts";
import type { SealedFile } from "../adapters/docker-schemas.ts";
import { DockerRefusal } from "../adapters/docker-socket.ts";
import { type ResourceOf, versionDigits } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import { isOurs, ownLabels } from "../engine/ownership.ts";
import { sha256 } from "../engine/stable-json.ts";
import type { Context, Steps } from "../engine/steps.ts";
import type { World } from "../engine/world.ts";

export const secretLines = defineLines({
  "secret-file-missing": {
    as: "failed",
    says: "{path} is not there, and the swarm secret {name} is made from it: put it back; the next run goes on",
  },
  "secret-file-changed": {
    as: "failed",
    says: "{path} changed while the swarm secret {name} was being made from it: nothing was made; the next run takes it as it is then",
  },
  "secret-too-short": {
    as: "failed",
    says: "{path} has {bytes} bytes, and a swarm secret must have {minBytes} or more, for its name shows a part of its digest: put a longer one there",
  },
  "secret-too-large": {
    as: "failed",
    says: "{path} has {bytes} bytes, and a swarm secret can have {maxBytes}: put the right file there",
  },
});

type SecretResource = ResourceOf<"secret">;

/** A secret that a service, or a task that is to go on, refers to. */
export interface SecretUse {
  readonly secret: string;
  /** Undefined for a service of no stack. */
  readonly stack: string | undefined;
}

export interface SecretSight {
  /** Digits of the digest; undefined while the file that they come from is not there. */
  readonly version: string | undefined;
  /** All of the swarm. */
  readonly secrets: readonly SealedFile[];
  readonly uses: readonly SecretUse[];
}

/** Fewer could be guessed from the digits of their digest. */
const minBytes = 16;
/** Docker's limit, seen with 26.1: 512,000 are refused. */
const maxBytes = 511_999;

/** The name of a secret without its version. */
function baseOf({ stack, name }: SecretResource): string {
  return `${stack}_${name}_`;
}

/**
 * The calls that make the secret of this version, and remove those of other versions that we made and
 * nothing uses. The name of one whose version is not known yet ends in `notYetKnown`.
 */
export function planSecret(
  resource: SecretResource,
  { version, secrets, uses }: SecretSight,
  context: Context,
): readonly Call[] {
  const wanted = `${baseOf(resource)}${version ?? notYetKnown}`;
  const isThere = secrets.some(({ Spec }) => Spec.Name === wanted);
  // As long as the stack does not use the new one, its deploy is still to come, and lets go of the
  // old ones.
  const isUsed = uses.some((use) => use.secret === wanted && use.stack === resource.stack);
  const goesOn = ({ Spec }: SealedFile): boolean =>
    uses.some((use) => use.secret === Spec.Name && (isUsed || use.stack !== resource.stack));
  const superseded = olderThan(wanted, resource, secrets, context.host);
  return [
    ...(isThere ? [] : [create(resource, version, wanted, context)]),
    ...superseded
      .filter((secret) => !goesOn(secret))
      .map((secret) => remove(secret, wanted, context)),
  ];
}

/** Those of the same secret that we made, but for the wanted one. */
function olderThan(
  wanted: string,
  resource: SecretResource,
  secrets: readonly SealedFile[],
  host: string,
): readonly SealedFile[] {
  const base = baseOf(resource);
  return secrets.filter(
    ({ Spec: { Name, Labels } }) =>
      Name !== wanted &&
      Name.startsWith(base) &&
      /^[0-9a-f]+$/.test(Name.slice(base.length)) &&
      Name.length === base.length + versionDigits &&
      isOurs(Labels, host),
  );
}

function create(
  resource: SecretResource,
  version: string | undefined,
  target: string,
  context: Context,
): Call {
  return {
    phase: "apply",
    verb: "secret create",
    target,
    why: version === undefined ? "its host file is made first" : "there is none of this version",
    perform: async () => {
      const path = resource.file;
      const content = await context.judged.read(path, context.world.files);
      if (version === undefined || content === undefined) {
        throw secretLines.stop("secret-file-missing", { path, name: target });
      }
      if ((await versionOf(resource, context, content)) !== version) {
        throw secretLines.stop("secret-file-changed", { path, name: target });
      }
      await makeSecret(resource, target, content, context);
    },
  };
}

async function makeSecret(
  { file: path, versionOf }: SecretResource,
  name: string,
  content: Buffer,
  { world, host }: Context,
): Promise<void> {
  const bytes = content.length;
  const least = versionOf.what === "name-and-content" ? minBytes : 1;
  if (bytes < least) throw secretLines.stop("secret-too-short", { path, bytes, minBytes: least });
  if (bytes > maxBytes) throw secretLines.stop("secret-too-large", { path, bytes, maxBytes });
  try {
    await world.docker.makeSealed("secrets", name, content, ownLabels(host));
  } catch (error) {
    // Somebody made it since: its name says what it holds.
    if (!(error instanceof DockerRefusal && error.status === 409)) throw error;
  }
}

function remove(secret: SealedFile, wanted: string, { world }: Context): Call {
  return {
    phase: "seal",
    verb: "secret remove",
    target: secret.Spec.Name,
    why: `${wanted} takes its place, and nothing uses it any more`,
    perform: async () => {
      try {
        await world.docker.removeSealed("secrets", secret.ID);
      } catch (error) {
        // What uses it again keeps it; the next run looks again.
        if (!(error instanceof DockerRefusal && /in use/i.test(error.message))) throw error;
      }
    },
  };
}

export function secretSteps(resource: SecretResource, context: Context): Steps {
  const { slots, world, host } = context;
  const { slot } = resource.version;
  return {
    async plan() {
      const version = await versionOf(resource, context);
      if (version === undefined) slots.clear(slot);
      else slots.fill(slot, version);
      const secrets = await world.docker.secrets();
      const wanted = `${baseOf(resource)}${version ?? notYetKnown}`;
      // Who uses what is asked only when there may be something to remove.
      const older = olderThan(wanted, resource, secrets, host);
      const uses = older.length === 0 ? [] : await usesOf(world);
      return planSecret(resource, { version, secrets, uses }, context);
    },
  };
}

/**
 * The version of a secret; undefined when its file is not there. That of a pair is the same for both,
 * which hash the certificate as it was judged.
 *
 * @param own the content of the secret's own file, where it was read already
 */
async function versionOf(
  { file, name, versionOf: { what, ...of } }: SecretResource,
  context: Context,
  own?: Buffer,
): Promise<string | undefined> {
  const path = "path" in of ? of.path : file;
  const content =
    path === file && own !== undefined ? own : await context.judged.read(path, context.world.files);
  if (content === undefined) return undefined;
  const hashed = what === "file" ? content : Buffer.concat([Buffer.from(`${name}\0`), content]);
  return sha256(hashed).slice(0, versionDigits);
}

/** What services are made of, and what those tasks are that they want to go on. */
async function usesOf({ docker }: World): Promise<readonly SecretUse[]> {
  const uses: SecretUse[] = [];
  for (const { ID, Spec } of await docker.services()) {
    const stack = Spec.Labels[stackLabel];
    const tasks = (await docker.tasks(ID)).filter(({ DesiredState }) => !isEnding(DesiredState));
    const containers = [Spec.TaskTemplate, ...tasks.map((task) => task.Spec)];
    for (const { ContainerSpec } of containers) {
      uses.push(
        ...(ContainerSpec?.Secrets ?? []).map(({ SecretName: secret }) => ({ secret, stack })),
      );
    }
  }
  return uses;
}

/** A task that is to end has its copy already. */
function isEnding(desiredState: string): boolean {
  return desiredState === "shutdown" || desiredState === "remove";
}
