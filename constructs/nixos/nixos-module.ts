import { Construct } from "constructs";
import { TemplateFile } from "../core/generated-file.ts";
import type { NixAttributes } from "../core/nix.ts";
import type { TemplateContext } from "../core/template.ts";
import { Machine } from "./machine.ts";

/** The kinds of units that are written in modules. */
export type UnitKind = "service" | "socket" | "timer" | "path" | "target";

/** A unit as the module that it is written in sees it. */
export interface ModuleUnit {
  readonly kind: UnitKind;
  /** Name without suffix. */
  readonly name: string;
  /** Options of the unit, as they are emitted. */
  readonly options: NixAttributes;
}

export interface NixosModuleProps {
  /** Name of the file without `.nix`. */
  readonly name: string;
  /** Path of the template below `templates/`. */
  readonly template: string;
  /** Values of the template beside its units. */
  readonly context?: () => TemplateContext;
}

/** A file of NixOS options in the host's folder; the host's `default.nix` imports all of them. */
export class NixosModule extends Construct {
  readonly name: string;
  readonly #units: ModuleUnit[] = [];
  readonly #files: string[] = [];

  constructor(scope: Construct, id: string, props: NixosModuleProps) {
    super(scope, id);
    this.name = props.name;
    const { template, context = () => ({}) } = props;
    new TemplateFile(scope, `${id}.nix`, {
      path: this.path,
      template,
      context: () => ({ ...context(), ...this.#unitsByKind() }),
    });
  }

  /** Path of the file below the root of the checkout. */
  get path(): string {
    return `${Machine.of(this).folder}/${this.name}.nix`;
  }

  /** Paths of all files that the module is made of, its own first. */
  get files(): readonly string[] {
    return [this.path, ...this.#files];
  }

  /** Names a further file that the module refers to, by its path below the root. */
  addFile(path: string): void {
    this.#files.push(path);
  }

  /** Called by the unit itself. */
  addUnit(unit: ModuleUnit): void {
    this.#units.push(unit);
  }

  /** `services`, `sockets`, `timers`, `paths` and `targets`: lists of `{ name, options }` for the template. */
  #unitsByKind(): Readonly<Record<`${UnitKind}s`, readonly TemplateContext[]>> {
    const ofKind = (kind: UnitKind): readonly TemplateContext[] =>
      this.#units
        .filter((unit) => unit.kind === kind)
        .map(({ name, options }) => ({ name, options }));
    return {
      services: ofKind("service"),
      sockets: ofKind("socket"),
      timers: ofKind("timer"),
      paths: ofKind("path"),
      targets: ofKind("target"),
    };
  }
}
