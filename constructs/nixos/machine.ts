import { Construct, type IConstruct } from "constructs";
import type { JsonObject } from "../core/json.ts";
import { Claims } from "./claims.ts";

/** What restarts a service of NixOS. */
export interface Restart extends JsonObject {
  /** The module that configures it. */
  readonly module: string;
  readonly settings: JsonObject;
}

/**
 * What the pieces of a host know of it: its names, its folder, and which names are taken. The host
 * itself builds on the pieces, so they look it up as this.
 */
export abstract class Machine extends Construct {
  readonly name: string;
  /** The base domain; every app is one label under it. */
  readonly domain: string;
  /** Names of packages with an unfree licence that this host may use. */
  readonly acceptUnfree: readonly string[];
  /** Names that only one construct of the host may have. */
  readonly claims = new Claims();
  readonly #restarts = new Map<string, Restart>();
  readonly #settings = new Map<string, JsonObject>();

  constructor(scope: Construct, name: string, domain: string, acceptUnfree: readonly string[]) {
    super(scope, name);
    this.acceptUnfree = acceptUnfree;
    this.name = name;
    this.domain = domain;
  }

  /** The machine whose tree `construct` is in. Throws where there is none. */
  static of(construct: IConstruct): Machine {
    const machine = construct.node.scopes.find((scope) => scope instanceof Machine);
    if (!(machine instanceof Machine)) {
      throw new Error(`${construct.node.path}: must be put below a Host`);
    }
    return machine;
  }

  /** Notes that one construct refers to another one, which must be of the same machine. */
  static link(from: Construct, to: IConstruct): void {
    const [one, other] = [Machine.of(from), Machine.of(to)];
    if (one === other) return;
    from.node.addValidation({
      validate: () => [
        `refers to ${to.node.path}, which is of another host: give it one of ${one.name}`,
      ],
    });
  }

  /** Folder of the generated files, below the root of the checkout. */
  get folder(): string {
    return `out/${this.name}`;
  }

  /**
   * Says that a switch restarts `unit`, a long-running service of NixOS itself, when these settings or
   * anything else of this module changes. `npm run diff` tells it to a reviewer.
   */
  restartsWith(unit: string, module: { readonly name: string }, settings: JsonObject): void {
    this.#restarts.set(unit, { module: module.name, settings });
  }

  /** Notes settings whose change `npm run diff` explains, under the name of what they are of. */
  tells(subject: string, settings: JsonObject): void {
    this.#settings.set(subject, settings);
  }

  /** What was noted with `tells`. */
  get settings(): ReadonlyMap<string, JsonObject> {
    return this.#settings;
  }

  /** Long-running services with what restarts them. */
  get restarts(): ReadonlyMap<string, Restart> {
    return this.#restarts;
  }
}
