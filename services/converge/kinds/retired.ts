import { stackLabel } from "../adapters/docker.ts";
import type { Network, SealedFile, Service } from "../adapters/docker-schemas.ts";
import { DockerRefusal } from "../adapters/docker-socket.ts";
import { type PieceList, type ResourceOf, versionDigits } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import { isOurs } from "../engine/ownership.ts";
import { Patience } from "../engine/patience.ts";
import type { Context, Steps } from "../engine/steps.ts";
import type { World } from "../engine/world.ts";
import { nameOf, orphansAmong } from "./retired/orphans.ts";
import {
  byName,
  lookAt,
  piecesFor,
  type RetiredStack,
  type Unnamed,
  unnamedStacks,
} from "./retired/stack.ts";

type Retired = ResourceOf<"retired">;

export const retiredLines = defineLines({
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

/** In the order of the stacks, newest first; what others may still use goes after them. */
export function planRetired(
  found: Found,
  { world, report }: Context,
  patience: Patience,
): readonly Call[] {
  const gone = new Set(found.stacks.map(({ name }) => name));
  const remaining = found.services.filter((service) => !gone.has(stackOf(service)));
  return [
    ...found.stacks.flatMap((stack) => [
      ...removeOrphans(stack, world),
      ...undeploy(stack, world, patience),
    ]),
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

/** An undeploy would wait for them in vain; what becomes one by it goes with the rest. */
function removeOrphans(stack: RetiredStack, world: World): readonly Call[] {
  const { orphans, services, app } = stack;
  const phase = services.length > 0 ? "apply" : "seal";
  const known = orphans.map((container): Call => {
    const why = "its stack leaves, and its task is gone already";
    const perform = () => world.docker.removeContainer(container.Id);
    return { phase, verb: "container remove", target: nameOf(container), why, perform };
  });
  if (app !== undefined || services.length === 0) return known;
  const open: Call = {
    ...{ phase: "seal", verb: "container remove", target: notYetKnown },
    why: "those of its tasks that Docker leaves",
    // By then its services are gone, and each is known by its name.
    perform: () => Promise.reject(new Error("nothing is known to be left yet")),
  };
  return [...known, open];
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

async function observe(resource: Retired, context: Context): Promise<Found> {
  const { world, host, piece } = context;
  const { docker } = world;
  const pieces = await piecesFor(resource, context);
  const isHosts = resource.of === "host";
  const unnamed = unnamedStacks(await docker.configs(), pieces, host);
  const owner = isHosts ? undefined : piece;
  const stacks: RetiredStack[] = [];
  for (const each of unnamed.filter((one) => one.piece === owner)) {
    stacks.push(await lookAt(each, resource, world));
  }
  const own = (await docker.secrets()).filter(({ Spec }) => isOurs(Spec.Labels, host));
  const ofStack = ({ Spec }: SealedFile, { name }: Unnamed) => Spec.Name.startsWith(`${name}_`);
  // Those of a stack go with it, whoever undeploys that.
  const secrets = own.filter((secret) => {
    const of = unnamed.filter((each) => ofStack(secret, each));
    return of.length === 0 ? isHosts : of.some((each) => each.piece === owner);
  });
  const networks = isHosts ? await docker.networks() : [];
  return {
    ...{ pieces, stacks, secrets },
    networks: networks.filter(({ Labels }) => isOurs(Labels, host)),
    services: await docker.services(),
  };
}

async function waitUntilGone(
  stack: string,
  resource: Retired,
  context: Context,
  patience: Patience,
): Promise<void> {
  const { world, report } = context;
  let what = "";
  const gone = await patience.waitFor(async () => {
    const services = await world.docker.services(stack);
    const containers = await world.docker.containers({ stack, all: true });
    const orphans = new Set(await orphansAmong(containers, world));
    const ending = containers.filter((container) => !orphans.has(container));
    what = [
      ...services.map(({ Spec }) => `service ${Spec.Name}`),
      ...ending.map((container) => `container ${nameOf(container)}`),
    ].join(", ");
    if (what === "") return true;
    report.waiting(`${stack}: ${what} still there`);
    return undefined;
  });
  if (gone) return;
  const values = { stack, seconds: resource.waitSeconds, what };
  throw retiredLines.stop("retired-still-there", values);
}

function unnamedNetworks({ pieces, networks }: Found): readonly Network[] {
  const named = new Set(pieces.pieces.flatMap((piece) => piece.networks));
  return networks.filter(({ Name }) => !named.has(Name)).toSorted(byName);
}

function unnamedSecrets({ pieces, secrets }: Found): readonly SealedFile[] {
  const named = new Set(pieces.pieces.flatMap((piece) => piece.secrets));
  const version = new RegExp(`^(.+)_[0-9a-f]{${versionDigits}}$`);
  return secrets
    .filter(({ Spec }) => {
      const base = version.exec(Spec.Name)?.[1];
      return base !== undefined && !named.has(base);
    })
    .toSorted((a, b) => byName(a.Spec, b.Spec));
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
