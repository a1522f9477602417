import { join } from "node:path";
import { stackLabel } from "../adapters/docker.ts";
import type { Container, Network, SealedFile, Service } from "../adapters/docker-schemas.ts";
import { DockerRefusal } from "../adapters/docker-socket.ts";

import {
  ownershipConfig,
  type PieceList,
  type ResourceOf,
  versionDigits,
} from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { readPieces } from "../engine/installed.ts";
import { defineLines } from "../engine/line.ts";
import { isOurs } from "../engine/ownership.ts";
import { Patience } from "../engine/patience.ts";
import type { Context, Steps } from "../engine/steps.ts";
import type { World } from "../engine/world.ts";

type Retired = ResourceOf<"retired">;

export const retiredLines = defineLines({
  "pieces-of-another-host": {
    as: "refused",
    says: "{path} is the list of host '{theirs}', and this unit is one of '{ours}': nothing is undeployed by a list of somebody else: run 'nixos-rebuild switch' again",
  },
  "retired-still-there": {
    as: "failed",
    says: "{stack} left the configuration and is still there after {seconds} s ({what}): look at 'docker stack ps {stack}'; the next run goes on",
  },
  "volumes-kept": {
    as: "warning",
    says: "{stack} left the configuration; its volumes were kept: {volumes}: remove them with 'docker volume rm' when nobody needs what is in them",
  },
  "network-still-used": {
    as: "warning",
    says: "network {network} left the configuration and is still used by {users}: it is kept until nothing uses it",
  },
});

/** A stack of ours that no piece names any more. */
export interface RetiredStack {
  readonly name: string;
  readonly ownership: SealedFile;
  readonly services: readonly Service[];
  readonly containers: readonly Container[];
  readonly volumes: readonly string[];
  /** The stack's own networks and configs, which go with it. */
  readonly networks: readonly Network[];
  readonly configs: readonly SealedFile[];
  /** abra's state folder and the app's domain; undefined when its `.env` or its recipe is not there. */
  readonly app: { readonly domain: string; readonly directory: string } | undefined;
}

/** What is ours on this host, and all that might still use it. */
export interface Found {
  readonly pieces: PieceList;
  readonly stacks: readonly RetiredStack[];
  readonly networks: readonly Network[];
  readonly secrets: readonly SealedFile[];
  readonly services: readonly Service[];
}

export function retiredSteps(resource: Retired, context: Context): Steps {
  const { world, report } = context;
  // For all stacks together: the unit's own limit counts it once.
  const patience = new Patience(world.clock, resource.waitSeconds);
  return {
    plan: async () => {
      const found = await observe(resource, context);
      for (const network of unnamedNetworks(found)) {
        const users = usersOf(network, found.services);
        if (users.length > 0) {
          const values = { network: network.Name, users: users.join(", ") };
          report.warning(retiredLines.warning("network-still-used", values));
        }
      }
      for (const stack of found.stacks.filter(({ volumes }) => volumes.length > 0)) {
        const values = { stack: stack.name, volumes: stack.volumes.join(", ") };
        report.warning(retiredLines.warning("volumes-kept", values));
      }
      return planRetired(found, context, patience);
    },
    verify: async () => {
      const { stacks } = await observe(resource, context);
      for (const { name } of stacks) await waitUntilGone(name, resource, context, patience);
    },
  };
}

/** Newest first: what was deployed later may need what was there before it. */
export function planRetired(
  found: Found,
  { world, report }: Context,
  patience: Patience,
): readonly Call[] {
  const gone = new Set(found.stacks.map(({ name }) => name));
  const remaining = found.services.filter((service) => !gone.has(stackOf(service)));
  return [
    ...found.stacks.flatMap((stack) => undeploy(stack, world, patience)),
    ...unnamedSecrets(found)
      .filter((secret) => !remaining.some((service) => usesSecret(service, secret)))
      .map((secret): Call => {
        const why = "no piece names it any more";
        const perform = () => world.docker.removeSealed("secrets", secret.ID);
        return { phase: "seal", verb: "secret remove", target: secret.Spec.Name, why, perform };
      }),
    ...unnamedNetworks(found)
      .filter((network) => usersOf(network, remaining).length === 0)
      .map((network): Call => {
        const why = "no piece names it any more";
        const perform = async () => {
          try {
            await world.docker.removeNetwork(network.Id);
          } catch (error) {
            // A container that was started by hand sits on it, which no service tells of.
            if (!(error instanceof DockerRefusal) || !/endpoint|in use/.test(error.message))
              throw error;
            const values = { network: network.Name, users: "a container" };
            report.warning(retiredLines.warning("network-still-used", values));
          }
        };
        return { phase: "seal", verb: "network remove", target: network.Name, why, perform };
      }),
    ...found.stacks.flatMap((stack) => removeRest(stack, world)),
    // Last of all: as long as it is there, the stack is known to be ours.
    ...found.stacks.map(({ ownership }): Call => {
      const why = "nothing of its stack is left";
      const perform = () => world.docker.removeSealed("configs", ownership.ID);
      return { phase: "seal", verb: "config remove", target: ownership.Spec.Name, why, perform };
    }),
  ];
}

function undeploy(stack: RetiredStack, world: World, patience: Patience): readonly Call[] {
  const { name, app, services } = stack;
  const why = "no piece names it any more";
  if (services.length === 0) return [];
  if (app !== undefined) {
    const perform = () =>
      patience.spend((seconds) => world.abra.undeploy(app.domain, app.directory, seconds));
    return [{ phase: "apply", verb: "app undeploy", target: name, why, perform }];
  }
  // Without its .env and its recipe abra does not know the app: what is left of it is removed piece by piece.
  return services.map((service): Call => {
    const perform = () => world.docker.removeService(service.ID);
    const target = service.Spec.Name;
    return {
      phase: "apply",
      verb: "service remove",
      target,
      why: `${why}, nor does abra`,
      perform,
    };
  });
}

/** What an undeploy that was cut short has left: a complete one takes these with it. */
function removeRest(stack: RetiredStack, world: World): readonly Call[] {
  if (stack.app !== undefined && stack.services.length > 0) return [];
  const [phase, why] = ["seal", "its stack is gone"] as const;
  return [
    ...stack.networks.map((network): Call => {
      const perform = () => world.docker.removeNetwork(network.Id);
      return { phase, verb: "network remove", target: network.Name, why, perform };
    }),
    ...stack.configs.map((config): Call => {
      const perform = () => world.docker.removeSealed("configs", config.ID);
      return { phase, verb: "config remove", target: config.Spec.Name, why, perform };
    }),
  ];
}

async function observe(resource: Retired, { world, host }: Context): Promise<Found> {
  const { docker, files } = world;
  const pieces = await readPieces(files, resource.piecesFile);
  if (pieces.host !== host) {
    const values = { path: resource.piecesFile, theirs: pieces.host, ours: host };
    throw retiredLines.stop("pieces-of-another-host", values);
  }
  const named = new Set(pieces.pieces.flatMap(({ stacks }) => stacks));
  const configs = await docker.configs();
  const retired = configs
    .filter((config) => isOurs(config.Spec.Labels, host))
    .map((ownership) => ({ ownership, name: stackNameOf(ownership) }))
    .filter(({ name }) => name !== undefined && !named.has(name))
    .sort((a, b) => (a.ownership.CreatedAt < b.ownership.CreatedAt ? 1 : -1));
  const networks = await docker.networks();
  const directories = await files.list(resource.abraDirectories);
  const stacks: RetiredStack[] = [];
  for (const { ownership, name = "" } of retired) {
    const domain = directories.find((each) => each.replaceAll(".", "_") === name);
    const directory = join(resource.abraDirectories, domain ?? "");
    const isKnown =
      domain !== undefined &&
      (await files.exists(join(directory, "servers/default", `${domain}.env`))) &&
      (await hasClone(join(directory, "recipes"), world));
    stacks.push({
      ...{ name, ownership },
      services: await docker.services(name),
      containers: await docker.containers({ stack: name, all: true }),
      volumes: await docker.volumes(name),
      networks: networks.filter(({ Labels }) => Labels[stackLabel] === name),
      configs: configs.filter(({ Spec }) => Spec.Labels[stackLabel] === name),
      app: isKnown ? { domain, directory } : undefined,
    });
  }
  return {
    ...{ pieces, stacks },
    networks: networks.filter(({ Labels }) => isOurs(Labels, host)),
    secrets: (await docker.secrets()).filter(({ Spec }) => isOurs(Spec.Labels, host)),
    services: await docker.services(),
  };
}

/** Whether a folder of recipes has one that git can read; an app has one alone. */
async function hasClone(folder: string, { files, git }: World): Promise<boolean> {
  for (const name of (await files.list(folder)).filter((each) => !each.startsWith("."))) {
    const clone = join(folder, name);
    if ((await git.isClone(clone)) && (await git.head(clone)) !== undefined) return true;
  }
  return false;
}

async function waitUntilGone(
  stack: string,
  resource: Retired,
  context: Context,
  patience: Patience,
): Promise<void> {
  const { docker } = context.world;
  let what = "";
  const gone = await patience.waitFor(async () => {
    const services = await docker.services(stack);
    const containers = await docker.containers({ stack, all: true });
    what = [
      ...services.map(({ Spec }) => `service ${Spec.Name}`),
      ...containers.map(({ Id }) => `container ${Id.slice(0, 12)}`),
    ].join(", ");
    if (what === "") return true;
    context.report.waiting(`${stack}: ${what} still there`);
    return undefined;
  });
  if (gone) return;
  const values = { stack, seconds: resource.waitSeconds, what };
  throw retiredLines.stop("retired-still-there", values);
}

/** The stack that an ownership config speaks of; undefined for any other config. */
function stackNameOf(config: SealedFile): string | undefined {
  const suffix = ownershipConfig("");
  const { Name } = config.Spec;
  return Name.endsWith(suffix) ? Name.slice(0, -suffix.length) : undefined;
}

function unnamedNetworks({ pieces, networks }: Found): readonly Network[] {
  const named = new Set(pieces.pieces.flatMap((piece) => piece.networks));
  return networks.filter(({ Name }) => !named.has(Name));
}

function unnamedSecrets({ pieces, secrets }: Found): readonly SealedFile[] {
  const named = new Set(pieces.pieces.flatMap((piece) => piece.secrets));
  const version = new RegExp(`^(.+)_[0-9a-f]{${versionDigits}}$`);
  return secrets.filter(({ Spec }) => {
    const base = version.exec(Spec.Name)?.[1];
    return base !== undefined && !named.has(base);
  });
}

function usersOf(network: Network, services: readonly Service[]): readonly string[] {
  return services
    .filter(({ Spec }) => Spec.TaskTemplate.Networks.some(({ Target }) => Target === network.Id))
    .map(({ Spec }) => Spec.Name)
    .sort();
}

function usesSecret({ Spec }: Service, secret: SealedFile): boolean {
  const used = Spec.TaskTemplate.ContainerSpec?.Secrets ?? [];
  return used.some(({ SecretName }) => SecretName === secret.Spec.Name);
}

function stackOf({ Spec }: Service): string {
  return Spec.Labels[stackLabel] ?? "";
}
