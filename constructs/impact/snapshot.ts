import {
  type DesiredState,
  desiredStateSchema,
  type Piece,
  pieceListSchema,
} from "../../services/converge/desired-state.ts";
import { manifestPath } from "../core/manifest.ts";
import { type HostFacts, parseFacts } from "./facts.ts";

/** Generated files and flake files of one state, by path below the root. */
export type Files = ReadonlyMap<string, string>;

/** All that a comparison wants to know of one state. */
export interface Snapshot {
  readonly hosts: ReadonlyMap<string, HostSnapshot>;
  /** Revision of nixpkgs: of flake.lock where there is one, else of the address in flake.nix. */
  readonly nixpkgs: string | undefined;
}

export interface HostSnapshot {
  readonly pieces: ReadonlyMap<string, PieceSnapshot>;
  readonly facts: HostFacts;
  /** NixOS modules by name, without the header's lines. */
  readonly modules: ReadonlyMap<string, string>;
  /** What every build in Drone does, without the header's lines; undefined without Drone. */
  readonly pipeline: string | undefined;
  /** Files of the host that could not be read: written by another version, or edited. */
  readonly unreadable: readonly string[];
}

export interface PieceSnapshot {
  readonly entry: Piece;
  readonly state: DesiredState;
  /** The app's environment: names with their values as they are written; empty without an app. */
  readonly env: ReadonlyMap<string, string>;
  /** Files that are laid over the recipe's, by their names there, without the header's lines. */
  readonly overlay: ReadonlyMap<string, string>;
  /** Of a stack of our own; undefined for other pieces. */
  readonly own: OwnStack | undefined;
}

/** What a stack of our own is deployed from. */
interface OwnStack {
  /** The domain that it is asked at in the end; undefined where nobody asks. */
  readonly servedAt: string | undefined;
  /** Its compose file, without the header's lines, and without what its settings make of it. */
  readonly compose: string;
  /** What it reads when it starts, without its header. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Reads a state from its files. Pure; what cannot be read is named in the host's `unreadable`. */
export function takeSnapshot(files: Files): Snapshot {
  const hosts = new Map<string, HostSnapshot>();
  const facts = factsByHost(files.get(manifestPath));
  for (const path of files.keys()) {
    const name = /^out\/([^/]+)\/pieces\.json$/.exec(path)?.[1];
    if (name !== undefined) hosts.set(name, readHost(name, files, parseFacts(facts[name])));
  }
  return { hosts, nixpkgs: nixpkgsRevision(files) };
}

/** Whether nothing can be said of a piece, since what was written of it cannot be read. */
export function isUnknown(piece: string, { unreadable }: HostSnapshot): boolean {
  const ofPiece = ["pieces.json", `${piece}.json`];
  return unreadable.some((path) => ofPiece.includes(path.slice(path.lastIndexOf("/") + 1)));
}

function readHost(name: string, files: Files, facts: HostFacts): HostSnapshot {
  const folder = `out/${name}`;
  const list = pieceListSchema.safeParse(parseJson(files.get(`${folder}/pieces.json`)));
  const modules = readModules(folder, files);
  const pipeline = withoutHeader(files.get(`${folder}/drone.yml`));
  if (!list.success) {
    const unreadable = [`${folder}/pieces.json`];
    return { pieces: new Map(), facts, modules, pipeline, unreadable };
  }
  const pieces = new Map<string, PieceSnapshot>();
  const unreadable: string[] = [];
  for (const entry of list.data.pieces) {
    const path = `${folder}/${entry.name}.json`;
    const state = desiredStateSchema.safeParse(parseJson(files.get(path)));
    if (!state.success) unreadable.push(path);
    else {
      const env = readEnv(files.get(`${folder}/${entry.name}.env`) ?? "");
      const overlay = readOverlay(`${folder}/${entry.name}`, state.data, files);
      const own = readOwnStack(`${folder}/${entry.name}`, state.data, files);
      pieces.set(entry.name, { entry, state: state.data, env, overlay, own });
    }
  }
  return { pieces, facts, modules, pipeline, unreadable };
}

function readOverlay(
  prefix: string,
  { resources }: DesiredState,
  files: Files,
): ReadonlyMap<string, string> {
  const names = resources.flatMap((resource) =>
    resource.kind === "checkout" ? (resource.overlay?.files ?? []).map(({ file }) => file) : [],
  );
  return new Map(names.map((name) => [name, withoutHeader(files.get(`${prefix}.${name}`)) ?? ""]));
}

function readOwnStack(
  prefix: string,
  { resources }: DesiredState,
  files: Files,
): OwnStack | undefined {
  if (!resources.some(({ kind }) => kind === "docker-stack")) return undefined;
  const served = resources.find((resource) => resource.kind === "served-certificate");
  const compose = withoutHeader(files.get(`${prefix}.compose.yml`)) ?? "";
  const json = parseJson(files.get(`${prefix}.settings.json`));
  const { "//": _, ...settings } = isRecord(json) ? json : {};
  // The swarm config of the settings has digits of their digest in its name.
  return {
    ...{ servedAt: served?.serverName, settings },
    compose: compose.replaceAll(/(?<=_settings_)[0-9a-f]{12}/g, ""),
  };
}

function withoutHeader(text: string | undefined): string | undefined {
  return text?.replace(/^(?:#.*\n)+/, "");
}

function readModules(folder: string, files: Files): ReadonlyMap<string, string> {
  const modules = new Map<string, string>();
  for (const [path, text] of files) {
    const name = path.startsWith(`${folder}/`)
      ? /^([^/]+)\.nix$/.exec(path.slice(folder.length + 1))?.[1]
      : undefined;
    if (name !== undefined) modules.set(name, withoutHeader(text) ?? "");
  }
  return modules;
}

function factsByHost(manifest: string | undefined): Readonly<Record<string, unknown>> {
  const json = parseJson(manifest);
  const facts = isRecord(json) && isRecord(json.facts) ? json.facts : {};
  return facts;
}

/** Our own `.env` files have one `NAME=value` a line, and comments. */
function readEnv(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

function nixpkgsRevision(files: Files): string | undefined {
  const lock = parseJson(files.get("flake.lock"));
  const nodes = isRecord(lock) && isRecord(lock.nodes) ? lock.nodes : {};
  const locked =
    isRecord(nodes.nixpkgs) && isRecord(nodes.nixpkgs.locked) ? nodes.nixpkgs.locked : {};
  if (typeof locked.rev === "string") return locked.rev;
  return /github:NixOS\/nixpkgs\/([0-9a-f]{40})/i.exec(files.get("flake.nix") ?? "")?.[1];
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
