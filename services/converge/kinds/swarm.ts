import { join } from "node:path";
import type { Cluster, Info } from "../adapters/docker-schemas.ts";
import { DockerRefusal, DockerSilence } from "../adapters/docker-socket.ts";
import type { ResourceOf } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import { defineLines, type Line } from "../engine/line.ts";
import { Patience } from "../engine/patience.ts";
import { stateFolder } from "../engine/places.ts";
import type { Context, Steps } from "../engine/steps.ts";

export const swarmLines = defineLines({
  "swarm-gone": {
    as: "refused",
    says: "this node was in the swarm {recorded}, and is in none now: a new one would be empty: either restore /var/lib/docker/swarm from a backup and run 'systemctl restart docker', or accept the loss of its secrets, networks and stacks, of which those of the configuration are made anew, and remove {file}; after either run 'systemctl start cc-ci.target'",
  },
  "swarm-worker": {
    as: "refused",
    says: "this node is in a swarm, and no manager of it: run 'docker swarm leave' if that swarm can do without it, then 'systemctl start cc-ci.target'",
  },
  "swarm-leaderless": {
    as: "failed",
    says: "this node's swarm answers nothing, perhaps because it has no leader: see 'docker node ls' and 'journalctl -u docker'",
  },
  "swarm-pending": {
    as: "failed",
    says: "this node's swarm is 'pending' after {seconds} s: see 'journalctl -u docker'; it is tried again by itself",
  },
  "swarm-error": {
    as: "refused",
    says: "this node's swarm is broken ({reason}): restore /var/lib/docker/swarm from a backup and run 'systemctl restart docker', then 'systemctl start cc-ci.target'; nothing was reset",
  },
  "swarm-locked": {
    as: "refused",
    says: "this node's swarm is locked: run 'docker swarm unlock' with its key, then 'systemctl start cc-ci.target'",
  },
  "swarm-state-unknown": {
    as: "failed",
    says: "the Docker daemon cannot tell whether this node is in a swarm (its state is '{state}'): see 'docker info' and 'journalctl -u docker'",
  },
  "swarm-not-made": {
    as: "failed",
    says: "Docker made no swarm at {address}: {reason}: see 'journalctl -u docker', and swarm.advertiseAddress and swarm.listenAddress in cc-ci.yaml; the next run tries again",
  },
  "swarm-node-not-ready": {
    as: "failed",
    says: "this node is '{state}' in its swarm after {seconds} s: see 'docker node ls' and 'journalctl -u docker'",
  },
  "swarm-node-drained": {
    as: "warning",
    says: "this node takes no tasks (its availability is '{availability}'): 'docker node update --availability active {node}' takes that back",
  },
  "swarm-is-another": {
    as: "warning",
    says: "this node was in the swarm {recorded} and is in {id} now: what the other one held is not here; if nobody meant that, restore /var/lib/docker/swarm from a backup and run 'systemctl restart docker'",
  },
  "swarm-pools-differ": {
    as: "warning",
    says: "the swarm takes networks from {actual} and should from {wanted}: Docker sets that only when a swarm is made, so this one keeps what it has",
  },
  "swarm-address-differs": {
    as: "warning",
    says: "the swarm's address of this node is {actual} and should be {wanted}: Docker sets that only when a swarm is made or joined, so this one keeps what it has",
  },
});

type SwarmResource = ResourceOf<"swarm">;

/** What is, as the daemon and the state folder tell it. */
export interface SwarmSight {
  readonly swarm: Info["Swarm"];
  /** Undefined where this node is no manager, or the managers have no leader. */
  readonly cluster: Cluster | undefined;
  /** Id of the swarm that this node was last seen in. */
  readonly recorded: string | undefined;
}

const nanoseconds = 1_000_000_000;

/** Remembers that there was a swarm: without it, one that is gone would look like a fresh host. */
function idFile(piece: string): string {
  return join(stateFolder(piece), "cluster-id");
}

/**
 * The calls that make this node a manager of its own swarm.
 *
 * @throws {Stop} for every state that a call of ours would make worse
 */
export function planSwarm(
  resource: SwarmResource,
  { swarm, cluster, recorded }: SwarmSight,
  context: Context,
): readonly Call[] {
  switch (swarm.LocalNodeState) {
    case "inactive":
      if (recorded !== undefined) {
        throw swarmLines.stop("swarm-gone", { recorded, file: idFile(context.piece) });
      }
      return [init(resource, context), record(notYetKnown, "the swarm is new", context)];
    case "active":
      if (!swarm.ControlAvailable) {
        throw swarmLines.stop("swarm-worker", {});
      }
      if (cluster === undefined) throw swarmLines.stop("swarm-leaderless", {});
      return [
        ...convergeLife(resource, cluster, context),
        ...(recorded === cluster.ID
          ? []
          : [record(cluster.ID, `${recorded ?? "none"} is noted so far`, context)]),
      ];
    case "pending":
      throw swarmLines.stop("swarm-pending", { seconds: resource.waitSeconds });
    case "error":
      throw swarmLines.stop("swarm-error", { reason: swarm.Error });
    case "locked":
      throw swarmLines.stop("swarm-locked", {});
    default:
      throw swarmLines.stop("swarm-state-unknown", { state: swarm.LocalNodeState });
  }
}

/** What differs and can only be had by making the swarm anew, which is nothing to do by ourselves. */
export function swarmWarnings(
  resource: SwarmResource,
  { swarm, cluster, recorded }: SwarmSight,
): readonly Line[] {
  if (cluster === undefined) return [];
  const wanted = poolsText(resource.addressPools, resource.subnetSize);
  const pools = cluster.DefaultAddrPool.length === 0 ? dockerPools : cluster.DefaultAddrPool;
  const actual = poolsText(pools, cluster.SubnetSize);
  const address = { actual: swarm.NodeAddr, wanted: resource.advertiseAddress };
  return [
    ...(recorded === undefined || recorded === cluster.ID
      ? []
      : [swarmLines.warning("swarm-is-another", { recorded, id: cluster.ID })]),
    ...(actual === wanted ? [] : [swarmLines.warning("swarm-pools-differ", { actual, wanted })]),
    ...(address.actual === address.wanted
      ? []
      : [swarmLines.warning("swarm-address-differs", address)]),
  ];
}

/** What a swarm takes networks from that was made without a word of it, as the Engine API says. */
const dockerPools = ["10.0.0.0/8"];

/** The order of pools means nothing: Docker takes what is free. */
function poolsText(pools: readonly string[], subnetSize: number | undefined): string {
  return `${pools.toSorted().join(" and ")} in /${subnetSize ?? "?"}`;
}

function init(resource: SwarmResource, { world }: Context): Call {
  const { advertiseAddress: address } = resource;
  return {
    phase: "apply",
    verb: "swarm init",
    target: address,
    why: "this node is in no swarm",
    perform: async () => {
      try {
        await world.docker.makeSwarm(resource);
      } catch (error) {
        if (!(error instanceof DockerRefusal)) throw error;
        throw swarmLines.stop("swarm-not-made", { address, reason: error.message });
      }
    },
  };
}

function convergeLife(
  { nodeCertificateSeconds: wanted }: SwarmResource,
  cluster: Cluster,
  { world }: Context,
): readonly Call[] {
  const actual = cluster.Spec.CAConfig.NodeCertExpiry / nanoseconds;
  if (actual === wanted) return [];
  return [
    {
      phase: "apply",
      verb: "swarm update",
      target: cluster.ID,
      why: `node certificates live ${actual} s and should live ${wanted} s`,
      perform: async () => {
        // As it is now: Docker refuses a change of what has changed since it was read.
        const current = (await world.docker.cluster()) ?? cluster;
        await world.docker.setNodeCertificateLife(current, wanted);
      },
    },
  ];
}

function record(target: string, why: string, { world, piece }: Context): Call {
  return {
    phase: "apply",
    verb: "swarm record",
    target,
    why,
    perform: async () => {
      const cluster = await world.docker.cluster();
      if (cluster === undefined) throw swarmLines.stop("swarm-leaderless", {});
      await world.files.write(idFile(piece), `${cluster.ID}\n`);
    },
  };
}

export function swarmSteps(resource: SwarmResource, context: Context): Steps {
  const { world, report, mayWait, piece, sights } = context;
  const patience = new Patience(world.clock, mayWait ? resource.waitSeconds : 0);

  const look = async (): Promise<SwarmSight> => {
    const { Swarm: swarm } = await world.docker.info();
    const cluster = swarm.ControlAvailable ? await world.docker.cluster() : undefined;
    const recorded = (await world.files.read(idFile(piece)))?.toString("utf8").trim();
    return { swarm, cluster, recorded: recorded === "" ? undefined : recorded };
  };

  /** After a daemon that has only just been started has found itself. */
  const settled = async (): Promise<SwarmSight> => {
    let latest: SwarmSight | DockerSilence | undefined;
    const sight = await patience.waitFor(async () => {
      latest = await look().catch(silence);
      const waits = latest instanceof DockerSilence ? "Docker does not answer" : unsettled(latest);
      if (waits === undefined) return latest as SwarmSight;
      if (mayWait) report.waiting(waits);
      return undefined;
    });
    if (sight !== undefined) return sight;
    if (latest === undefined || latest instanceof DockerSilence) throw latest;
    return latest;
  };

  return {
    async plan() {
      const sight = await settled();
      await sights.of(swarmSeen, async () => sight.swarm);
      for (const line of swarmWarnings(resource, sight)) report.warning(line);
      return planSwarm(resource, sight, context);
    },

    async verify() {
      const ask = async (): Promise<Info["Swarm"]> => (await world.docker.info()).Swarm;
      // For an answer the daemon starts two programs.
      let seen: Info["Swarm"] | undefined = await sights.of(swarmSeen, ask);
      let state = "unknown";
      const node = await patience.waitFor(async () => {
        const swarm = seen ?? (await ask());
        seen = undefined;
        const own = (await world.docker.nodes()).find(({ ID }) => ID === swarm.NodeID);
        state = own?.Status.State ?? swarm.LocalNodeState;
        if (own !== undefined && state === "ready") return own;
        if (mayWait) report.waiting(`this node is '${state}' in its swarm`);
        return undefined;
      });
      if (node === undefined) {
        const seconds = resource.waitSeconds;
        throw swarmLines.stop("swarm-node-not-ready", { state, seconds });
      }
      const availability = node.Spec.Availability;
      if (availability !== "active") {
        report.warning(swarmLines.warning("swarm-node-drained", { availability, node: node.ID }));
      }
    },
  };
}

/** By which the state of the swarm is kept that a plan has seen. */
const swarmSeen = "swarm";

function silence(error: unknown): DockerSilence {
  if (error instanceof DockerSilence) return error;
  throw error;
}

/** What a daemon that is starting shows for a moment, in words; undefined when it has settled. */
function unsettled({ swarm, cluster }: SwarmSight): string | undefined {
  // Said by a daemon that is dying, or not up yet.
  if (swarm.LocalNodeState === "") return "Docker cannot tell the state of the swarm";
  if (swarm.LocalNodeState === "pending") return "this node's swarm is 'pending'";
  if (swarm.LocalNodeState === "active" && cluster === undefined) {
    return "this node's swarm has no manager yet";
  }
  return undefined;
}
