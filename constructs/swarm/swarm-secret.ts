import { Construct } from "constructs";
import { nameLimits, type Resource, versionDigits } from "../../services/converge/desired-state.ts";
import type { HostFile } from "../nixos/host-file.ts";
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
  readonly waitsFor: readonly string[];
  readonly watches: readonly string[];
  readonly #props: SwarmSecretProps;

  constructor(scope: Construct, id: string, props: SwarmSecretProps) {
    super(scope, id);
    this.#props = props;
    this.name = props.name;
    this.versionSlot = `${props.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-version`;
    this.waitsFor = props.file.waitsFor;
    this.watches = props.file.watches;
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get resources(): readonly Resource[] {
    const { stack, name, file, versionOf } = this.#props;
    return [
      ...(versionOf === undefined ? file.resources : []),
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
