import { isIPv4 } from "node:net";
import { Construct } from "constructs";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { Machine } from "../nixos/machine.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import { DockerEngine } from "./docker-engine.ts";
import { RetiredPieces } from "./retired-pieces.ts";
import { overlap, prefixLength, subnetProblem } from "./subnet.ts";

export interface SwarmProps {
  /** The daemon that it runs on. @default one with default settings */
  readonly engine?: DockerEngine;
  /** IPv4 address that other nodes would reach this one at. @default loopback: there is one node */
  readonly advertiseAddress?: string;
  /** IPv4 address that the swarm listens on. @default the advertised one */
  readonly listenAddress?: string;
  /** Subnets that the networks of stacks are cut from; set when the swarm is made, for good. @default 10.64.0.0/12 */
  readonly addressPools?: readonly string[];
  /** Prefix length of each network that is cut from the pools, from 16 to 29. @default 24 */
  readonly subnetSize?: number;
  /** Life of the nodes' certificates in days. @default 90, Docker's own */
  readonly nodeCertificateDays?: number;
}

/** How long a node may be `pending` before that is an error, in seconds. */
const waitSeconds = 60;

/** A swarm of one node. Everything else of the host runs in it. */
export class Swarm extends Construct implements HasUnit {
  readonly engine: DockerEngine;
  readonly addressPools: readonly string[];
  /** What undeploys the pieces that left the configuration. */
  readonly retired: RetiredPieces;
  readonly #piece: ConvergePiece;
  readonly #props: SwarmProps;

  constructor(scope: Construct, id: string, props: SwarmProps = {}) {
    super(scope, id);
    this.#props = props;
    this.engine = props.engine ?? new DockerEngine(this, "docker");
    Machine.link(this, this.engine);
    this.addressPools = props.addressPools ?? ["10.64.0.0/12"];
    const { advertiseAddress = "127.0.0.1" } = props;
    this.#piece = new ConvergePiece(this, "piece", {
      name: "swarm",
      description: "Converge the Docker swarm of this node",
      resources: () => [
        {
          kind: "swarm",
          advertiseAddress,
          listenAddress: props.listenAddress ?? advertiseAddress,
          addressPools: [...this.addressPools],
          subnetSize: this.#subnetSize,
          nodeCertificateSeconds: (props.nodeCertificateDays ?? 90) * 24 * 60 * 60,
          waitSeconds,
        },
      ],
    });
    this.unit.needsForeign(this.engine.service, "requires");
    this.retired = new RetiredPieces(this, "retired", { swarm: this });
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  /** The addresses of the node that were given, as far as they are addresses. */
  get addresses(): readonly string[] {
    return [this.#props.advertiseAddress, this.#props.listenAddress].filter(
      (address): address is string => address !== undefined && isIPv4(address),
    );
  }

  get #subnetSize(): number {
    return this.#props.subnetSize ?? 24;
  }

  #validate(): string[] {
    const { advertiseAddress, listenAddress, nodeCertificateDays = 90 } = this.#props;
    const problems: string[] = [];
    for (const [property, address] of Object.entries({ advertiseAddress, listenAddress })) {
      if (address !== undefined && !isIPv4(address)) {
        problems.push(
          `${property}: ${JSON.stringify(address)} is no IPv4 address: write it as in 127.0.0.1`,
        );
      }
    }
    if (advertiseAddress === "0.0.0.0") {
      problems.push(
        "advertiseAddress: 0.0.0.0 is no address that can be reached: name one of the host's own",
      );
    }
    if (
      !(
        Number.isInteger(nodeCertificateDays) &&
        nodeCertificateDays >= 1 &&
        nodeCertificateDays <= 36_500
      )
    ) {
      problems.push("nodeCertificateDays: must be a whole number of days, from 1 to 36500");
    }
    if (this.addressPools.length === 0) {
      problems.push("addressPools: must name one subnet or more, as in 10.64.0.0/12");
    }
    const amiss = this.addressPools.map((pool) => subnetProblem(pool, { min: 8, max: 24 }));
    problems.push(
      ...amiss.flatMap((message) => (message === undefined ? [] : [`addressPools: ${message}`])),
    );
    if (amiss.some((message) => message !== undefined)) return problems;
    for (const [property, address] of Object.entries({ advertiseAddress, listenAddress })) {
      const pool = this.addressPools.find(
        (one) => isIPv4(address ?? "") && overlap(one, `${address}/32`),
      );
      if (pool !== undefined) {
        problems.push(
          `${property}: ${address} lies in the pool ${pool}, which is for networks of containers: choose another pool`,
        );
      }
    }
    for (const [index, pool] of this.addressPools.entries()) {
      const other = this.addressPools.slice(0, index).find((earlier) => overlap(earlier, pool));
      if (other !== undefined)
        problems.push(`addressPools: ${pool} overlaps ${other}: name each address once`);
      if (this.#subnetSize <= prefixLength(pool) || this.#subnetSize > 29) {
        problems.push(
          `subnetSize: ${this.#subnetSize} must be larger than the prefix length of the pool ${pool}, and 29 at the most`,
        );
      }
    }
    return problems;
  }
}
