import { stackLabel } from "../adapters/docker.ts";
import type { Network, Service } from "../adapters/docker-schemas.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import { ownLabels } from "../engine/ownership.ts";
import { Patience } from "../engine/patience.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { overlap } from "../engine/subnets.ts";

export const networkLines = defineLines({
  "network-differs": {
    as: "refused",
    says: "the network {name} is there and is another than the configuration says: {differences}: Docker cannot change a network, so undeploy what uses it ({users}), run 'docker network rm {id}' and 'systemctl start cc-ci.target', which makes it and deploys all again; volumes are kept; or change the configuration to what is there",
  },
  "network-overlaps": {
    as: "failed",
    says: "the network {name} cannot have the subnet {subnet}, which overlaps {other}: choose another subnet in cc-ci.yaml, or remove that network",
  },
  "network-without-addresses": {
    as: "failed",
    says: "the network {name} is there, but Docker has given it no addresses after {seconds} s: 'journalctl -u docker' says why ('Failed allocation for network'); it is looked at again by itself",
  },
  "network-not-there": {
    as: "failed",
    says: "the network {name} is not there {seconds} s after Docker was told to make it: see 'docker network ls' and 'journalctl -u docker'",
  },
});

type NetworkResource = ResourceOf<"network">;

export interface NetworkSight {
  /** All of this machine, and of its swarm. */
  readonly networks: readonly Network[];
  readonly services: readonly Service[];
}

/**
 * The call that makes the network, when there is none of its name. One that is right is used, whoever
 * made it.
 *
 * @throws {Stop} when one of that name is there and differs, or another one has its addresses
 */
export function planNetwork(
  resource: NetworkResource,
  { networks, services }: NetworkSight,
  { host, world }: Context,
): readonly Call[] {
  const { name, subnet } = resource;
  const named = networks.filter((network) => network.Name === name);
  const wrong = named
    .map((network) => ({ network, differences: differencesOf(resource, network) }))
    .find(({ differences }) => differences.length > 0);
  if (wrong !== undefined) {
    throw networkLines.stop("network-differs", {
      name,
      differences: wrong.differences.join("; "),
      users: usersOf(wrong.network, services),
      id: wrong.network.Id.slice(0, 12),
    });
  }
  if (named.some(hasAddresses)) return [];
  const other = networks.find(
    (network) =>
      network.Name !== name && network.Scope === "swarm" && subnetsOf(network).some(overlaps),
  );
  // Docker makes such a network all the same, and never gives it addresses.
  if (other !== undefined) {
    const what = `${subnetsOf(other).find(overlaps)} of the network ${other.Name}`;
    throw networkLines.stop("network-overlaps", { name, subnet, other: what });
  }
  if (named.length > 0) return [];
  return [
    {
      phase: "apply",
      verb: "network create",
      target: name,
      why: "there is no network of this name",
      perform: async () => {
        await world.docker.makeNetwork({ ...resource, labels: ownLabels(host) });
      },
    },
  ];

  function overlaps(theirs: string): boolean {
    return overlap(theirs, subnet);
  }
}

/** Options that Docker adds by itself, and what they must not say where that would matter. */
const ownOptions = /^com\.docker\.network\./;
const mattering: Readonly<Record<string, (value: string) => boolean>> = {
  "com.docker.network.driver.mtu": () => true,
  "com.docker.network.enable_ipv4": (value) => value !== "true",
  "com.docker.network.enable_ipv6": (value) => value !== "false",
};

/** In words; empty when it is what the resource says. */
function differencesOf(resource: NetworkResource, network: Network): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, is: unknown, wanted: unknown): void => {
    if (is !== wanted) differences.push(`${what} is ${shown(is)} and should be ${shown(wanted)}`);
  };
  compare("its scope", network.Scope, "swarm");
  compare("attachable", network.Attachable, resource.attachable);
  compare("internal", network.Internal, resource.internal);
  compare("ingress", network.Ingress, false);
  // The manager hands these out only after the network is made.
  if (!hasAddresses(network)) return differences;
  compare("its driver", network.Driver, resource.driver);
  const subnets = subnetsOf(network);
  // Docker 27.0 shows none of a network that no container of the node uses.
  if (subnets.length > 0) compare("its subnet", subnets.join(", "), resource.subnet);
  for (const [option, wanted] of Object.entries(resource.options)) {
    compare(`option ${option}`, network.Options[option], wanted);
  }
  for (const [option, value] of Object.entries(network.Options)) {
    const matters = ownOptions.test(option) ? (mattering[option]?.(value) ?? false) : true;
    if (resource.options[option] === undefined && matters) {
      differences.push(`option ${option} is ${shown(value)} and should not be set`);
    }
  }
  return differences;
}

function shown(value: unknown): string {
  if (value === undefined) return "not set";
  return value === "" ? "empty" : String(value);
}

/** A swarm's network has no driver until its manager has given it addresses. */
function hasAddresses(network: Network): boolean {
  return network.Driver !== "";
}

function subnetsOf(network: Network): readonly string[] {
  return network.IPAM.Config.map(({ Subnet }) => Subnet);
}

function usersOf({ Id, Name }: Network, services: readonly Service[]): string {
  const users = services
    .filter(({ Spec }) =>
      Spec.TaskTemplate.Networks.some(({ Target }) => Target === Id || Target === Name),
    )
    .map(({ Spec }) => {
      const stack = Spec.Labels[stackLabel];
      return stack === undefined ? `the service ${Spec.Name}` : `the stack ${stack}`;
    });
  return users.length === 0 ? "no service does" : [...new Set(users)].toSorted().join(", ");
}

export function networkSteps(resource: NetworkResource, context: Context): Steps {
  const { world, report, mayWait, foreseen } = context;
  const { name, waitSeconds: seconds } = resource;
  const patience = new Patience(world.clock, mayWait ? seconds : 0);
  return {
    async plan() {
      // Before the networks, of which a manager that is not ready shows fewer: it refuses this one.
      const services = await world.docker.services();
      const networks = (await world.docker.networks()).filter(
        ({ Name }) => !foreseen.has(`network remove ${Name}`),
      );
      return planNetwork(resource, { networks, services }, context);
    },

    async verify() {
      let latest: readonly Network[] = [];
      const ready = await patience.waitFor(async () => {
        latest = await world.docker.networks(name);
        if (latest.some(hasAddresses)) return true;
        if (mayWait) report.waiting(`the network ${name} has no addresses yet`);
        return undefined;
      });
      if (ready) return;
      const line = latest.length === 0 ? "network-not-there" : "network-without-addresses";
      throw networkLines.stop(line, { name, seconds });
    },
  };
}
