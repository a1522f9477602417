import { Construct } from "constructs";
import {
  nameLimits,
  type Resource,
  type ResourceOf,
  versionDigits,
} from "../../services/converge/desired-state.ts";
import type { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import type { ResourceSource } from "../nixos/resource-source.ts";

export interface SwarmSecretProps {
  /** Name of the stack that uses it. */
  readonly stack: string;
  /** Name as the recipe's compose files spell it, as in `ssl_cert`. */
  readonly name: string;
  /** The host file that holds its content. */
  readonly file: HostFile;
  /** A file whose bytes make the version, so that a pair rotates together. @default name and content */
  readonly versionOf?: HostFile;
}

/** An immutable swarm secret `<stack>_<name>_<version>`; the version follows the content. */
export class SwarmSecret extends Construct implements ResourceSource {
  readonly name: string;
  /** The slot that the version fills, in the unit that carries this secret. */
  readonly versionSlot: string;
  /** The slot for the name of the variable that carries the version, where the recipe alone knows it. */
  readonly variableSlot: string;
  readonly waitsFor: readonly string[];
  readonly watches: readonly string[];
  readonly #props: SwarmSecretProps;

  constructor(scope: Construct, id: string, props: SwarmSecretProps) {
    super(scope, id);
    this.#props = props;
    this.name = props.name;
    const plain = props.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    this.versionSlot = `secret-${plain}-version`;
    this.variableSlot = `secret-${plain}-variable`;
    for (const file of [props.file, props.versionOf]) {
      if (file !== undefined) Machine.link(this, file);
    }
    this.waitsFor = props.file.waitsFor;
    this.watches = props.file.watches;
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get resources(): readonly Resource[] {
    const { stack, name, file, versionOf } = this.#props;
    return [
      ...(versionOf === undefined ? file.resources.map(longEnough) : []),
      {
        kind: "secret",
        stack,
        name,
        file: file.path,
        version: { slot: this.versionSlot },
        versionOf:
          versionOf === undefined
            ? { what: "name-and-content" }
            : { what: "file", path: versionOf.path },
      },
    ];
  }

  #validate(): string[] {
    const { stack, name } = this.#props;
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/.test(name)) {
      return [
        `secrets: ${JSON.stringify(name)} cannot be the name of a secret: use letters, digits, inner dashes and underscores`,
      ];
    }
    const length = `${stack}_${name}_`.length + versionDigits;
    return length <= nameLimits.secret
      ? []
      : [
          `secrets: the swarm secret ${stack}_${name}_<version> has ${length} characters, and Docker takes ${nameLimits.secret}: shorten the domain or the secret's name`,
        ];
  }
}

/** The version of a secret shows digits of its digest: a shorter one could be guessed from them. */
const minBytes = 16;

function longEnough(file: ResourceOf<"host-file">): Resource {
  const { demand } = file;
  if (demand.format !== "opaque" || demand.minBytes >= minBytes) return file;
  return { ...file, demand: { ...demand, minBytes } };
}
