import { Construct } from "constructs";
import {
  type DesiredState,
  desiredStateSchema,
  desiredStateVersion,
  type Piece,
  type Resource,
  type ResourceOf,
} from "../../services/converge/desired-state.ts";
import { UserError } from "../core/errors.ts";
import { JsonFile } from "../core/generated-file.ts";
import {
  type NixAttributes,
  type NixExpression,
  type NixValue,
  nixJoin,
  nixName,
  nixPath,
} from "../core/nix.ts";
import { hardening } from "./hardening.ts";
import { Machine } from "./machine.ts";
import { NixosModule } from "./nixos-module.ts";
import type { ResourceSource } from "./resource-source.ts";
import { slotsInText, slotsOf } from "./slots.ts";
import { stateFolders, statePath } from "./state-folders.ts";
import { type HasUnit, SystemdUnit } from "./systemd-unit.ts";
import { timeoutSeconds } from "./timeout.ts";

export interface ConvergePieceProps {
  /** Short name: the unit is `cc-ci-<name>`, the files are `<name>.nix` and `<name>.json`. */
  readonly name: string;
  /** One line for `systemctl status`. */
  readonly description: string;
  /** What must be true, in order; asked for once, when the whole tree stands. */
  readonly resources: () => readonly Resource[];
  /** Constructs whose resources come first, in this unit. @default none */
  readonly sources?: readonly ResourceSource[];
  /** Pieces without which this one makes no sense. @default none */
  readonly requires?: readonly HasUnit[];
  /** Pieces that should be there first. @default none */
  readonly wants?: readonly HasUnit[];
  /** Pieces to wait for when they are started too. @default none */
  readonly after?: readonly HasUnit[];
  /** Slots that Nix fills, by name: files of the host's folder, tags of images. @default none */
  readonly slots?: Readonly<Record<string, NixExpression>>;
  /** Text of the host's folder that has slots, such as an `.env`. @default none */
  readonly texts?: () => readonly string[];
  /** Packages whose programs it calls. @default none */
  readonly path?: readonly NixExpression[];
  /** Files whose change starts it again, beside those of the sources. @default none */
  readonly watches?: readonly string[];
  /** How long after its end it starts again, as systemd's time span. @default with all others, by the timer */
  readonly againAfter?: string;
  /** Folders below /var/lib that it may write, beside its own state. @default none */
  readonly stateDirectories?: readonly string[];
}

/**
 * Far more than the program, git and abra take together: one that goes astray is ended, as it may be at any time,
 * before others have to be. Images are Docker's, and what is read of files gives way.
 */
const memory = "1G";

/** Below /var/cache: what Node made of the program, which takes half of the time that it needs to start. */
const compileCache = "cc-ci/converge";

/**
 * One unit, one file, one ordered list of resources: a oneshot that runs the converge program on a
 * desired state. A path unit starts it again when a host file of it changes.
 */
export class ConvergePiece extends Construct implements HasUnit {
  readonly name: string;
  readonly unit: SystemdUnit;
  /** The module that holds the unit. */
  readonly module: NixosModule;
  readonly #props: ConvergePieceProps;
  /** The resources, once somebody asked. */
  #known: readonly Resource[] | undefined;
  readonly #machine: Machine;

  constructor(scope: Construct, id: string, props: ConvergePieceProps) {
    super(scope, id);
    this.#props = props;
    this.name = props.name;
    this.#machine = Machine.of(this);
    this.module = new NixosModule(this, "module", {
      name: props.name,
      template: "nixos/converge-piece.nix",
      context: () => ({
        name: props.name,
        file: nixPath(`${props.name}.json`),
        slots: this.#slots,
      }),
    });
    const file = `${this.#machine.folder}/${props.name}.json`;
    this.module.addFile(file);
    new JsonFile(this, `${props.name}.json`, {
      path: file,
      content: () => this.desiredState,
    });
    this.unit = new SystemdUnit(this, "unit", {
      name: `cc-ci-${props.name}`,
      kind: "service",
      module: this.module,
      options: () => this.#options(),
    });
    for (const other of props.requires ?? []) this.unit.needs(other, "requires");
    for (const other of props.wants ?? []) this.unit.needs(other, "wants");
    for (const other of props.after ?? []) this.unit.needs(other, "after");
    const sources = props.sources ?? [];
    for (const source of sources) Machine.link(this, source);
    for (const unit of sources.flatMap(({ waitsFor }) => waitsFor)) {
      this.unit.needsForeign(unit, "wants");
    }
    if (this.#isWatching) this.#addPathUnit();
    if (props.againAfter !== undefined) this.#addTimer(props.againAfter);
    this.node.addValidation({ validate: () => this.#validate() });
  }

  /** What the host gets to read, checked against the schema that both halves share. */
  get desiredState(): DesiredState {
    const state = {
      version: desiredStateVersion,
      host: this.#machine.name,
      piece: this.name,
      resources: this.#resources,
    };
    const parsed = desiredStateSchema.safeParse(state);
    if (parsed.success) return parsed.data;
    throw new UserError(
      parsed.error.issues.map(({ path, message }) => ({
        where: this.node.path,
        message: `the desired state is not what the host can read: ${path.join(".")}: ${message}`,
      })),
    );
  }

  /** The piece as it stands in the list of all pieces. */
  get entry(): Piece {
    const resources = this.#resources;
    return {
      name: this.name,
      unit: this.unit.fullName,
      file: { slot: "file" },
      slots: Object.fromEntries(Object.keys(this.#slots).map((slot) => [slot, { slot }])),
      stacks: resources.flatMap((resource) =>
        resource.kind === "stack" || resource.kind === "docker-stack" ? [resource.stack] : [],
      ),
      networks: resources.flatMap((resource) =>
        resource.kind === "network" ? [resource.name] : [],
      ),
      secrets: resources.flatMap((resource) =>
        resource.kind === "secret" ? [`${resource.stack}_${resource.name}`] : [],
      ),
    };
  }

  get #resources(): readonly Resource[] {
    const { sources = [], resources } = this.#props;
    this.#known ??= [...sources.flatMap((source) => source.resources), ...resources()];
    return this.#known;
  }

  get #slots(): Readonly<Record<string, NixExpression>> {
    return this.#props.slots ?? {};
  }

  #options(): NixAttributes {
    const { name, description, path, stateDirectories = [] } = this.#props;
    const home = `${stateFolders.pieces}/${name}`;
    const makesFiles = this.#resources.some(madeOnHost);
    return {
      description,
      wantedBy: ["cc-ci.target"],
      startLimitIntervalSec: 0,
      path: path === undefined ? undefined : [...path],
      environment: { HOME: statePath(home), NODE_COMPILE_CACHE: `/var/cache/${compileCache}` },
      serviceConfig: {
        Type: "oneshot",
        ExecStart: this.#command(),
        SuccessExitStatus: [75],
        TimeoutStartSec: `${timeoutSeconds(this.#resources, this.#isWatching ? 2 : 1)}s`,
        StateDirectory: [home, ...stateDirectories, ...(makesFiles ? [stateFolders.secrets] : [])],
        StateDirectoryMode: "0700",
        CacheDirectory: compileCache,
        CacheDirectoryMode: "0700",
        UMask: "0077",
        MemoryMax: memory,
        ...hardening,
      },
    };
  }

  #command(): NixValue {
    const parts: (string | NixExpression)[] = [
      nixName("converge"),
      " apply ",
      nixPath(`${this.name}.json`),
    ];
    for (const [slot, value] of Object.entries(this.#slots)) parts.push(` --slot ${slot}=`, value);
    return nixJoin(parts);
  }

  #addPathUnit(): void {
    new SystemdUnit(this, "path", {
      name: this.unit.name,
      kind: "path",
      module: this.module,
      options: () => ({
        description: `Watch the files that ${this.name} is made of`,
        wantedBy: ["paths.target"],
        pathConfig: { PathChanged: [...new Set(this.#watches)] },
      }),
    });
  }

  #addTimer(againAfter: string): void {
    new SystemdUnit(this, "timer", {
      name: this.unit.name,
      kind: "timer",
      module: this.module,
      options: () => ({
        description: `Start ${this.name} again and again`,
        wantedBy: ["timers.target"],
        timerConfig: { OnUnitInactiveSec: againAfter, AccuracySec: "5s" },
      }),
    });
  }

  /** Whether a path unit starts it again when a file changes. */
  get #isWatching(): boolean {
    return this.#watches.length > 0;
  }

  get #watches(): readonly string[] {
    const { sources = [], watches = [] } = this.#props;
    return [...sources.flatMap((source) => source.watches), ...watches];
  }

  #validate(): string[] {
    const slots = this.#resources.map(slotsOf);
    const texts = this.#props.texts?.() ?? [];
    const used = new Set([...slots.flatMap(({ needs }) => needs), ...texts.flatMap(slotsInText)]);
    const folder = `${statePath(stateFolders.secrets)}/`;
    const fillers = [...slots.flatMap(({ fills }) => fills), ...Object.keys(this.#slots)];
    const filled = new Set(fillers);
    const twice = fillers.filter((slot, index) => fillers.indexOf(slot) < index);
    return [
      ...[...new Set(twice)].map(
        (slot) => `the slot ${slot} is filled twice: one of the two needs another name`,
      ),
      ...("file" in this.#slots
        ? ["the slot file is the piece's own file: choose another name"]
        : []),
      ...[...used]
        .filter((slot) => !filled.has(slot))
        .map((slot) => `the slot ${slot} is used, and neither Nix nor the host fills it`),
      ...[...filled]
        .filter((slot) => !used.has(slot))
        .map((slot) => `the slot ${slot} is filled, and nothing uses it`),
      ...this.#resources
        .filter(madeOnHost)
        .filter(({ path }) => !path.startsWith(folder))
        .map(({ path }) => `${path} is made by the host, and so must lie below ${folder}`),
    ];
  }
}

function madeOnHost(resource: Resource): resource is ResourceOf<"host-file"> {
  return resource.kind === "host-file" && resource.origin.by === "host";
}
