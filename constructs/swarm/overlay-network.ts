import { Construct } from "constructs";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { Machine } from "../nixos/machine.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import { overlap, subnetProblem } from "./subnet.ts";
import type { Swarm } from "./swarm.ts";

export interface OverlayNetworkProps {
  /**
   * Its addresses, outside of the swarm's pools. A /24 runs out of them on a busy host, since removed
   * stacks give some back late.
   * @default 10.80.0.0/16
   */
  readonly subnet?: string;
}

/** How long Docker may take to show a network that it has made, in seconds. */
const waitSeconds = 30;

/** An attachable overlay network, named as its construct. */
export class OverlayNetwork extends Construct implements HasUnit {
  readonly name: string;
  readonly subnet: string;
  readonly swarm: Swarm;
  readonly #piece: ConvergePiece;

  constructor(swarm: Swarm, id: string, props: OverlayNetworkProps = {}) {
    super(swarm, id);
    this.name = id;
    this.swarm = swarm;
    this.subnet = props.subnet ?? "10.80.0.0/16";
    Machine.of(this).claims.take("the network", this.name, this, "name");
    this.#piece = new ConvergePiece(this, "piece", {
      name: `network-${this.name}`,
      description: `Converge the overlay network ${this.name}`,
      requires: [swarm],
      after: [swarm.retired],
      resources: () => [
        {
          kind: "network",
          name: this.name,
          driver: "overlay",
          attachable: true,
          internal: false,
          subnet: this.subnet,
          options: {},
          waitSeconds,
        },
      ],
    });
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  #validate(): string[] {
    const message = subnetProblem(this.subnet, { min: 8, max: 24 });
    if (message !== undefined) return [`subnet: ${message}`];
    const wellFormed = (subnet: string): boolean =>
      subnetProblem(subnet, { min: 8, max: 32 }) === undefined;
    const pool = this.swarm.addressPools
      .filter(wellFormed)
      .find((other) => overlap(other, this.subnet));
    if (pool !== undefined) {
      return [
        `subnet: ${this.subnet} overlaps the address pool ${pool}, from which Docker takes the networks of stacks: choose one outside`,
      ];
    }
    const node = this.swarm.addresses.find((address) => overlap(`${address}/32`, this.subnet));
    if (node !== undefined) {
      return [`subnet: ${this.subnet} holds the node's own address ${node}: choose another`];
    }
    const siblings = this.swarm.node.children.filter((child) => child instanceof OverlayNetwork);
    const earlier = siblings.slice(0, siblings.indexOf(this)).map(({ subnet }) => subnet);
    const taken = earlier.filter(wellFormed).find((other) => overlap(other, this.subnet));
    return taken === undefined
      ? []
      : [`subnet: ${this.subnet} overlaps ${taken} of another network: choose another`];
  }
}
