import { Construct } from "constructs";
import { mergeAttributes, type NixAttributes, type NixValue } from "../core/nix.ts";
import { Machine } from "./machine.ts";
import { isUnitName } from "./names.ts";
import type { ModuleUnit, NixosModule, UnitKind } from "./nixos-module.ts";

/** A construct that stands for a unit: passing it on orders the units. */
export interface HasUnit {
  readonly unit: SystemdUnit;
}

/**
 * How much a unit needs another one. All of them order the units.
 * - `requires`: there is no sense in starting without it.
 * - `wants`: it is started too, and its failure is no reason to stop.
 * - `after`: only the order, when both are started.
 */
export type Need = "requires" | "wants" | "after";

export interface SystemdUnitProps {
  /** Name without suffix. */
  readonly name: string;
  readonly kind: UnitKind;
  /** The module that the unit is written in. */
  readonly module: NixosModule;
  /** NixOS options of the unit, but for its order, which comes from the references. */
  readonly options: () => NixAttributes;
}

/** A systemd unit of the host, as the options of `systemd.<kind>s.<name>`. */
export class SystemdUnit extends Construct implements ModuleUnit {
  readonly kind: UnitKind;
  readonly module: NixosModule;
  /** Name with suffix, as in `cc-ci-traefik.service`. */
  readonly fullName: string;
  /** Name without suffix, as NixOS options want it. */
  readonly name: string;
  readonly #options: () => NixAttributes;
  readonly #needs = new Map<string, Need>();
  readonly #overrides: NixAttributes[] = [];

  constructor(scope: Construct, id: string, props: SystemdUnitProps) {
    super(scope, id);
    this.kind = props.kind;
    this.name = props.name;
    this.fullName = `${props.name}.${props.kind}`;
    this.module = props.module;
    this.#options = props.options;
    this.module.addUnit(this);
    Machine.of(this).claims.take("the unit", this.fullName, this, "name");
    this.node.addValidation({ validate: () => this.#validate() });
  }

  /** Orders this unit after another one of ours. The stronger of two needs stays. */
  needs(other: HasUnit, need: Need): void {
    Machine.link(this, other.unit);
    this.needsForeign(other.unit.fullName, need);
  }

  /** Orders this unit after one that NixOS or the operator brings, by its full name. */
  needsForeign(unit: string, need: Need): void {
    const strength: readonly Need[] = ["after", "wants", "requires"];
    const before = this.#needs.get(unit);
    if (before === undefined || strength.indexOf(need) > strength.indexOf(before)) {
      this.#needs.set(unit, need);
    }
  }

  /**
   * The escape hatch: lays these options over the unit's own. Sets are merged, lists and values
   * replaced, null takes an option away. `npm run diff` lists every override.
   */
  override(options: NixAttributes): void {
    this.#overrides.push(options);
  }

  /** What was overridden, in order; empty for most units. */
  get overrides(): readonly NixAttributes[] {
    return this.#overrides;
  }

  /** The options as they are emitted: own ones, the order, overrides on top. */
  get options(): NixAttributes {
    const named = (...needs: readonly Need[]): readonly string[] | undefined => {
      const units = [...this.#needs]
        .filter(([, need]) => needs.includes(need))
        .map(([unit]) => unit);
      return units.length === 0 ? undefined : units.sort();
    };
    const order: NixAttributes = {
      after: named("requires", "wants", "after"),
      requires: named("requires"),
      wants: named("wants"),
    };
    return [order, ...this.#overrides].reduce(mergeAttributes, this.#options());
  }

  #validate(): string[] {
    const { options } = this;
    const own = isUnitName(this.fullName)
      ? []
      : [`${JSON.stringify(this.fullName)} is no unit name`];
    // What was asked for by name was checked where it was asked for.
    const asked = new Set(this.#needs.keys());
    const named = ["after", "before", "requires", "wants", "bindsTo", "partOf"].flatMap((key) =>
      listOf(options[key])
        .filter((name) => !isUnitName(name) && !asked.has(name))
        .map(
          (name) =>
            `${key}: ${JSON.stringify(name)} is no unit name: write it in full, as in docker.service`,
        ),
    );
    return [...own, ...named];
  }
}

/** The strings of a list of strings; anything else has none. */
export function listOf(value: NixValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
