import { Construct } from "constructs";
import {
  nameLimits,
  type Resource,
  type ResourceOf,
} from "../../services/converge/desired-state.ts";
import { digestOf } from "../core/digest.ts";
import { JsonFile, TemplateFile } from "../core/generated-file.ts";
import type { JsonObject } from "../core/json.ts";
import { nixJoin, nixName, nixPath } from "../core/nix.ts";
import type { TemplateContext } from "../core/template.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import type { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { textSlot } from "../nixos/slots.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import type { OverlayNetwork } from "./overlay-network.ts";
import { retiredResource } from "./retired-pieces.ts";
import { SwarmSecret } from "./swarm-secret.ts";

export interface DockerStackProps {
  /** Name of the stack in the swarm. */
  readonly stack: string;
  /** Name of the piece; the unit is `cc-ci-<piece>`. */
  readonly piece: string;
  readonly description: string;
  /** The network that the proxy reaches it through. */
  readonly network: OverlayNetwork;
  /** Its image in `cc-ci.images`, which comes with the host. */
  readonly image: string;
  /** Path of the compose file below `templates/`; gets what `context` says, and what it is made of by name. */
  readonly template: string;
  readonly context: () => TemplateContext;
  /** What it reads when it starts: a swarm config of that name, which changes with its content. */
  readonly settings: { readonly name: string; readonly content: () => JsonObject };
  /** Its secrets by name, each with the host file that it is made of. */
  readonly secrets: Readonly<Record<string, HostFile>>;
  /** Folders below /var/lib that it is shown, made where they are not there, and other paths of this host. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Pieces that should be there first, beside the network. */
  readonly wants: readonly HasUnit[];
  /** What must hold once it runs. @default nothing more */
  readonly after?: readonly Resource[];
  /** How long a deploy may take until its task is healthy, in seconds. @default 120 */
  readonly deploySeconds?: number;
}

/** How long an image may take to be loaded, in seconds: it comes off this host's own disk. */
const loadSeconds = 300;

const defaultDeploySeconds = 120;

/** How long a task must have run to count as stable: Docker's own monitor time, in seconds. */
const stableSeconds = 5;

/** The slots that Nix fills. */
const slots = { file: "compose-file", image: "image", loader: "loader", settings: "settings-file" };

/** Digits of a digest that tell the contents of a swarm config apart. */
const versionDigits = 12;

/** A stack of our own, whose one image comes with the host: no recipe, no registry, no abra. */
export class DockerStack extends Construct implements HasUnit {
  readonly name: string;
  readonly #piece: ConvergePiece;
  readonly #props: DockerStackProps;
  readonly #secrets: readonly SwarmSecret[];

  constructor(scope: Construct, id: string, props: DockerStackProps) {
    super(scope, id);
    this.#props = props;
    this.name = props.stack;
    const { piece, network, image, settings } = props;
    const { folder } = Machine.of(this);
    Machine.link(this, network);
    const files = { compose: `${piece}.compose.yml`, settings: `${piece}.${settings.name}.json` };
    new JsonFile(this, "settings", {
      path: `${folder}/${files.settings}`,
      content: settings.content,
    });
    new TemplateFile(this, "compose", {
      path: `${folder}/${files.compose}`,
      template: props.template,
      context: () => ({ ...this.#parts, ...props.context() }),
    });
    this.#secrets = Object.entries(props.secrets).map(
      ([name, file]) => new SwarmSecret(this, `secret-${name}`, { stack: props.stack, name, file }),
    );
    const inImages = (member: string) => nixName("config", "cc-ci", "images", image, member);
    this.#piece = new ConvergePiece(this, "piece", {
      name: piece,
      description: props.description,
      requires: [network],
      wants: props.wants,
      after: [network.swarm.retired],
      sources: this.#secrets,
      resources: () => [
        // Before the stack, which may take over its names.
        retiredResource("piece"),
        this.#stack,
        ...(props.after ?? []),
      ],
      slots: {
        [slots.file]: nixJoin([nixPath(files.compose)]),
        [slots.settings]: nixJoin([nixPath(files.settings)]),
        [slots.image]: nixJoin([inImages("reference")]),
        [slots.loader]: nixJoin([inImages("loader"), "/bin/load-image"]),
      },
      texts: () => [
        textSlot(slots.settings),
        ...this.#secrets.map(({ versionSlot }) => textSlot(versionSlot)),
      ],
      // abra and git for what it had under another name; Docker's client of the same version as the daemon.
      path: [
        nixName("config", "cc-ci", "packages", "abra"),
        nixName("config", "cc-ci", "packages", "git"),
        nixName("config", "virtualisation", "docker", "package"),
      ],
      stateDirectories: [...props.folders, stateFolders.apps],
    });
    for (const file of Object.values(files)) this.#piece.module.addFile(`${folder}/${file}`);
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  get #stack(): ResourceOf<"docker-stack"> {
    return {
      kind: "docker-stack",
      stack: this.name,
      composeFile: { slot: slots.file },
      image: { reference: { slot: slots.image }, loader: { slot: slots.loader } },
      folders: this.#props.folders.map(statePath),
      files: [...this.#props.files],
      loadSeconds,
      deploySeconds: this.#props.deploySeconds ?? defaultDeploySeconds,
      stableSeconds,
    };
  }

  /** What a compose file is made of, as its template asks for it. */
  get #parts(): TemplateContext {
    const { network, settings } = this.#props;
    const digest = digestOf(JSON.stringify(settings.content())).replace("sha256:", "");
    return {
      stack: this.name,
      image: textSlot(slots.image),
      network: network.name,
      settingsName: `${this.name}_${settings.name}_${digest.slice(0, versionDigits)}`,
      settingsFile: textSlot(slots.settings),
      secrets: this.#secrets.map(({ name, versionSlot }) => ({
        name,
        swarmName: `${this.name}_${name}_${textSlot(versionSlot)}`,
      })),
    };
  }

  #validate(): string[] {
    const { length } = this.name;
    return length <= nameLimits.stack
      ? []
      : [`the stack name ${this.name} has ${length} characters, and ${nameLimits.stack} are taken`];
  }
}
