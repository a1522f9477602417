import type { Construct } from "constructs";
import {
  desiredStateVersion,
  type PieceList,
  pieceListSchema,
} from "../../services/converge/desired-state.ts";
import { JsonFile, TemplateFile } from "../core/generated-file.ts";
import { findCycle, type Graph } from "../core/graph.ts";
import { type NixExpression, nixPath } from "../core/nix.ts";
import { ConvergePiece } from "./converge-piece.ts";
import { Machine } from "./machine.ts";
import { isHostLabel, isHostName } from "./names.ts";
import { NixosModule } from "./nixos-module.ts";
import { pieceOrder } from "./piece-order.ts";
import { Reconcile } from "./reconcile.ts";
import { SystemdUnit } from "./systemd-unit.ts";
import { unitGraph } from "./unit-graph.ts";

export interface HostProps {
  /** The base domain, such as `ci.example.org`; every app is one label under it. */
  readonly domain: string;
  /** Names of packages with an unfree licence that this host may use. @default none */
  readonly acceptUnfree?: readonly string[];
}

/** A NixOS machine. Everything in its tree ends up in `out/<name>/`, which its `default.nix` imports. */
export class Host extends Machine {
  constructor(scope: Construct, id: string, props: HostProps) {
    super(scope, id, props.domain, props.acceptUnfree ?? []);
    new NixosModule(this, "module", {
      name: "host",
      template: "nixos/host.nix",
      context: () => ({
        hostName: this.name,
        pieces: nixPath("pieces.json"),
        acceptsUnfree: this.acceptUnfree.length > 0,
        acceptUnfree: this.acceptUnfree.toSorted(),
      }),
    });
    new Reconcile(this, "reconcile");
    new TemplateFile(this, "default.nix", {
      path: `${this.folder}/default.nix`,
      template: "nixos/default.nix",
      context: () => ({ modules: this.#imports() }),
    });
    new JsonFile(this, "pieces.json", {
      path: `${this.folder}/pieces.json`,
      content: () => this.pieceList,
    });
    this.node.addValidation({ validate: () => this.#validate() });
  }

  /** Every unit of ours, in the order in which they were made. */
  get units(): readonly SystemdUnit[] {
    return this.node.findAll().filter((construct) => construct instanceof SystemdUnit);
  }

  /** Every module, in the order in which they were made. */
  get modules(): readonly NixosModule[] {
    return this.node.findAll().filter((construct) => construct instanceof NixosModule);
  }

  /** The pieces, each after what it depends on, equals by name. */
  get pieces(): readonly ConvergePiece[] {
    const pieces = this.node.findAll().filter((construct) => construct instanceof ConvergePiece);
    return pieceOrder(pieces, this.graph());
  }

  /** The unit graph: services, what they are ordered after, and how much they need it. */
  graph(): Graph {
    return unitGraph(this.units);
  }

  /** The list that plan, status and retire read, installed as `/etc/cc-ci/pieces.json`. */
  get pieceList(): PieceList {
    return pieceListSchema.parse({
      version: desiredStateVersion,
      host: this.name,
      pieces: this.pieces.map(({ entry }) => entry),
    });
  }

  #imports(): readonly NixExpression[] {
    return this.modules
      .map(({ name }) => `${name}.nix`)
      .sort()
      .map(nixPath);
  }

  #validate(): string[] {
    const problems: string[] = [];
    if (!isHostLabel(this.name)) {
      problems.push(
        `${JSON.stringify(this.name)} cannot be the name of a host: use up to 63 lower-case letters, digits and inner dashes`,
      );
    }
    if (!isHostName(this.domain)) {
      problems.push(
        `domain: ${JSON.stringify(this.domain)} is no domain name: use lower-case labels joined by dots, as in ci.example.org`,
      );
    }
    for (const name of this.acceptUnfree.filter(
      (name) => !/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name),
    )) {
      problems.push(
        `acceptUnfree: ${JSON.stringify(name)} is no name of a package: write it as in drone-runner-exec`,
      );
    }
    const cycle = findCycle(this.graph());
    if (cycle !== undefined) {
      problems.push(
        `the units wait for each other in a circle: ${cycle.join(" → ")}: take one of these references away`,
      );
    }
    return problems;
  }
}
