import { isDeepStrictEqual } from "node:util";
import type { Resource, ResourceOf } from "../../services/converge/desired-state.ts";
import { buildChanges } from "./build-changes.ts";
import { type ProxyAway, proxyAway } from "./proxy-away.ts";
import type { Reasoned } from "./reasoned.ts";
import { type ResourceChange, resourceChanges, settingChanges } from "./resource-changes.ts";
import { runChanges } from "./run-changes.ts";
import { type HostSnapshot, isUnknown, type PieceSnapshot, type Snapshot } from "./snapshot.ts";

/** What the next switch does, host by host; hosts on which it does nothing are left out. */
export interface Impact {
  readonly hosts: readonly HostImpact[];
}

export interface HostImpact {
  readonly host: string;
  readonly change: "new" | "changed" | "gone";
  /** Pieces that will apply something. Every piece runs; a converged one changes nothing. */
  readonly applies: readonly Reasoned[];
  /** Pieces whose desired state is one that their unit refuses to reach by itself. */
  readonly refuses: readonly Reasoned[];
  /** Pieces that warn: Docker keeps what it has, since it sets such values only when a thing is made. */
  readonly keeps: readonly Reasoned[];
  /** Pieces that do not run, since one that they require stops. */
  readonly blocked: readonly Reasoned[];
  /** Units whose options change: order, limits, watched paths. */
  readonly units: readonly Reasoned[];
  /** NixOS modules without a piece that change: other options of the machine. */
  readonly modules: readonly string[];
  /** Long-running services that restart. */
  readonly restarts: readonly Reasoned[];
  /** What changes for test runs, in sentences. */
  readonly runs: readonly string[];
  /** What changes for builds in Drone, in sentences. */
  readonly builds: readonly string[];
  /** Stacks that are deployed, the ones that are new included. */
  readonly redeploys: readonly Reasoned[];
  readonly secrets: {
    readonly added: readonly string[];
    readonly gone: readonly string[];
    readonly moved: readonly {
      readonly name: string;
      readonly from: string;
      readonly to: string;
    }[];
  };
  /** What `cc-ci-retire` removes; volumes stay. */
  readonly retired: {
    readonly stacks: readonly string[];
    readonly networks: readonly string[];
  };
  /** Every override there is, changed or not: it is what no construct decided. */
  readonly overrides: readonly { readonly unit: string; readonly options: string }[];
  readonly proxyAway: ProxyAway;
  /** Files that could not be compared. */
  readonly unreadable: readonly string[];
}

/** Compares two states. Pure. */
export function impactOf(before: Snapshot, after: Snapshot): Impact {
  const nixpkgs =
    before.nixpkgs === after.nixpkgs ? undefined : { from: before.nixpkgs, to: after.nixpkgs };
  const names = [...new Set([...before.hosts.keys(), ...after.hosts.keys()])].sort();
  const impacts = names.map((name) =>
    hostImpact(name, before.hosts.get(name), after.hosts.get(name), nixpkgs),
  );
  return { hosts: impacts.filter((impact) => impact !== undefined) };
}

/** A change of the pinned nixpkgs revision. */
interface NixpkgsChange {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const nothing: HostSnapshot = {
  pieces: new Map(),
  facts: { units: {}, restarts: {}, settings: {} },
  modules: new Map(),
  pipeline: undefined,
  unreadable: [],
};

function hostImpact(
  host: string,
  before: HostSnapshot | undefined,
  after: HostSnapshot | undefined,
  nixpkgs: NixpkgsChange | undefined,
): HostImpact | undefined {
  const [old, wanted] = [before ?? nothing, after ?? nothing];
  if (isDeepStrictEqual(old, wanted) && nixpkgs === undefined) return undefined;
  // What only one of the two states tells is neither new nor gone.
  const comparable = without(wanted, (piece) => isUnknown(piece, old));
  const change = before === undefined ? "new" : after === undefined ? "gone" : "changed";
  const restarts = serviceRestarts(old, wanted, nixpkgs);
  const changes = [...comparable.pieces].map(([name, piece]) => {
    const previous = old.pieces.get(name);
    return { name, ...pieceChanges(previous, piece) };
  });
  const refuses = changes
    .filter(({ refusals }) => refusals.length > 0)
    .map(({ name, refusals }) => ({ name, reasons: refusals }));
  const keeps = changes
    .filter(({ kept }) => kept.length > 0)
    .map(({ name, kept }) => ({ name, reasons: kept }));
  const blocked = blockedBy(refuses, wanted);
  const applies = changes
    .filter(({ name, reasons }) => reasons.length > 0 && !blocked.some((one) => one.name === name))
    .map(({ name, reasons }) => ({ name, reasons }));
  const waiting = new Set(blocked.map(({ name }) => name));
  const redeploys = stackRedeploys(old, comparable).filter(({ piece }) => !waiting.has(piece));
  // A piece that does not run leaves what it had under another name, and makes nothing new.
  const runs = ({ pieces }: HostSnapshot): readonly PieceSnapshot[] =>
    [...pieces].flatMap(([name, piece]) => (waiting.has(name) ? [] : [piece]));
  const namesOf = (pieces: Iterable<PieceSnapshot>, kind: "stacks" | "networks") =>
    [...pieces].flatMap(({ entry }) => entry[kind]);
  const retired = {
    stacks: minus(namesOf(runs(old), "stacks"), namesOf(wanted.pieces.values(), "stacks")),
    networks: minus(
      namesOf(old.pieces.values(), "networks"),
      namesOf(wanted.pieces.values(), "networks"),
    ),
  };
  const left = [...old.pieces.keys()].filter(
    (name) => !wanted.pieces.has(name) && !isUnknown(name, wanted),
  );
  if (left.length > 0 && wanted.pieces.has("retire")) {
    applies.push({ name: "retire", reasons: left.map((name) => `${name} left the configuration`) });
  }
  return {
    host,
    change,
    applies,
    refuses,
    keeps,
    blocked,
    units: unitChanges(old, wanted),
    modules: [...wanted.modules.keys()].filter(
      (name) =>
        !wanted.pieces.has(name) &&
        name !== "default" &&
        old.modules.get(name) !== wanted.modules.get(name),
    ),
    restarts,
    runs: runChanges(old.facts, wanted.facts, restarts),
    builds: buildChanges({ before: old, after: wanted, redeploys, blocked }),
    redeploys,
    secrets: secretChanges(runs(old), runs(comparable)),
    retired: change === "gone" ? { stacks: [], networks: [] } : retired,
    overrides: Object.entries(wanted.facts.units).flatMap(([unit, { overrides }]) =>
      overrides === undefined ? [] : [{ unit, options: overrides }],
    ),
    proxyAway: proxyAway({ before: old, after: wanted, restarts, redeploys, blocked }),
    unreadable: [...old.unreadable, ...wanted.unreadable],
  };
}

function without(host: HostSnapshot, isLeftOut: (piece: string) => boolean): HostSnapshot {
  return { ...host, pieces: new Map([...host.pieces].filter(([name]) => !isLeftOut(name))) };
}

interface PieceChanges {
  readonly reasons: readonly string[];
  readonly refusals: readonly string[];
  readonly kept: readonly string[];
}

function pieceChanges(before: PieceSnapshot | undefined, after: PieceSnapshot): PieceChanges {
  if (before === undefined) return { reasons: ["is new"], refusals: [], kept: [] };
  const changes = resourceChanges(before.state.resources, after.state.resources);
  const texts = (wanted: ResourceChange["outcome"]) =>
    changes.filter(({ outcome }) => outcome === wanted).map(({ text }) => text);
  return {
    reasons: [
      ...texts("applied"),
      ...envChanges(before, after),
      ...overlayChanges(before, after),
      ...ownChanges(before, after),
    ],
    refusals: texts("refused"),
    kept: texts("kept"),
  };
}

function envChanges(before: PieceSnapshot, after: PieceSnapshot): readonly string[] {
  const names = [...new Set([...before.env.keys(), ...after.env.keys()])];
  return names.flatMap((name) => {
    const [old, wanted] = [before.env.get(name), after.env.get(name)];
    if (old === wanted) return [];
    if (old === undefined) return [`the variable ${name} is new`];
    return [wanted === undefined ? `the variable ${name} is gone` : `the variable ${name} changes`];
  });
}

/** Of files that are laid over before and after; one that comes or goes is a change of the recipe's. */
function overlayChanges(before: PieceSnapshot, after: PieceSnapshot): readonly string[] {
  return [...after.overlay].flatMap(([name, text]) => {
    const old = before.overlay.get(name);
    return old === undefined || old === text ? [] : [`the file ${name} over the recipe changes`];
  });
}

/** Of a stack of our own. */
function ownChanges({ own: before }: PieceSnapshot, { own: after }: PieceSnapshot) {
  if (before === undefined || after === undefined) return [];
  const served =
    before.servedAt === after.servedAt
      ? []
      : [`is served at ${after.servedAt} instead of ${before.servedAt}`];
  const compose = before.compose === after.compose ? [] : ["its compose file changes"];
  return [...served, ...settingChanges(before.settings, after.settings), ...compose];
}

function unitChanges(before: HostSnapshot, after: HostSnapshot): readonly Reasoned[] {
  const names = [
    ...new Set([...Object.keys(before.facts.units), ...Object.keys(after.facts.units)]),
  ];
  return names.sort().flatMap((name) => {
    const [old, wanted] = [before.facts.units[name], after.facts.units[name]];
    if (old?.digest === wanted?.digest) return [];
    const reason = old === undefined ? "is new" : wanted === undefined ? "is gone" : "changes";
    return [{ name, reasons: [reason] }];
  });
}

/**
 * Our oneshots run at every switch and restart nothing. What restarts are services of NixOS whose
 * settings change, and with another nixpkgs any of them may.
 */
function serviceRestarts(
  before: HostSnapshot,
  after: HostSnapshot,
  nixpkgs: NixpkgsChange | undefined,
): readonly Reasoned[] {
  if (before === nothing || after === nothing) return [];
  return Object.keys(after.facts.restarts).flatMap((unit) => {
    const [old, wanted] = [before.facts.restarts[unit], after.facts.restarts[unit]];
    const reasons: string[] = [];
    const module = wanted?.module ?? "";
    if (!isDeepStrictEqual(old?.settings, wanted?.settings)) {
      reasons.push(`its settings change: ${settingNames(old?.settings, wanted?.settings)}`);
    } else if (before.modules.get(module) !== after.modules.get(module)) {
      reasons.push(`its module ${module}.nix changes`);
    }
    if (nixpkgs !== undefined) reasons.push("nixpkgs changes, and its package may with it");
    return reasons.length === 0 ? [] : [{ name: unit, reasons }];
  });
}

/** Pieces whose units require one that stops, straight or through others. */
function blockedBy(stopped: readonly Reasoned[], host: HostSnapshot): readonly Reasoned[] {
  const unitOf = (piece: string): string => host.pieces.get(piece)?.entry.unit ?? "";
  const reasons = new Map(stopped.map(({ name }) => [unitOf(name), name]));
  const blocked: Reasoned[] = [];
  // The pieces come after what they require, so one look at each is enough.
  for (const name of host.pieces.keys()) {
    const required = host.facts.units[unitOf(name)]?.requires ?? [];
    const cause = required.map((unit) => reasons.get(unit)).find((one) => one !== undefined);
    if (cause === undefined || reasons.has(unitOf(name))) continue;
    reasons.set(unitOf(name), name);
    blocked.push({ name, reasons: [`requires ${cause}, which stops`] });
  }
  return blocked;
}

function settingNames(before: unknown, after: unknown): string {
  const [old, wanted] = [before, after].map((value) =>
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {},
  );
  const names = [...new Set([...Object.keys(old ?? {}), ...Object.keys(wanted ?? {})])];
  return names.filter((name) => !isDeepStrictEqual(old?.[name], wanted?.[name])).join(", ");
}

function stackRedeploys(
  before: HostSnapshot,
  after: HostSnapshot,
): readonly (Reasoned & { readonly piece: string })[] {
  return [...after.pieces].flatMap(([name, piece]) => {
    const stack = piece.state.resources.find(isStack);
    if (stack === undefined) return [];
    const previous = before.pieces.get(name);
    const deployed = previous?.state.resources.find(isStack);
    if (previous === undefined || deployed?.stack !== stack.stack) {
      return [{ piece: name, name: stack.stack, reasons: ["is new"] }];
    }
    const kinds: readonly Resource["kind"][] = [
      ...(["checkout", "stack", "docker-stack", "secret", "env"] as const),
    ];
    const ofKinds = ({ state }: PieceSnapshot): readonly Resource[] =>
      state.resources.filter(({ kind }) => kinds.includes(kind));
    const reasons = [
      ...resourceChanges(ofKinds(previous), ofKinds(piece)).map(({ text }) => text),
      ...envChanges(previous, piece),
      ...overlayChanges(previous, piece),
      ...ownChanges(previous, piece),
    ];
    return reasons.length === 0 ? [] : [{ piece: name, name: stack.stack, reasons }];
  });
}

function isStack(resource: Resource): resource is ResourceOf<"stack" | "docker-stack"> {
  return resource.kind === "stack" || resource.kind === "docker-stack";
}

function secretChanges(
  before: readonly PieceSnapshot[],
  after: readonly PieceSnapshot[],
): HostImpact["secrets"] {
  const [old, wanted] = [secretFiles(before), secretFiles(after)];
  return {
    added: minus([...wanted.keys()], [...old.keys()]),
    gone: minus([...old.keys()], [...wanted.keys()]),
    moved: [...wanted].flatMap(([name, to]) => {
      const from = old.get(name);
      return from === undefined || from === to ? [] : [{ name, from, to }];
    }),
  };
}

function secretFiles(pieces: readonly PieceSnapshot[]): ReadonlyMap<string, string> {
  const secrets = pieces
    .flatMap(({ state }) => state.resources)
    .filter((resource): resource is ResourceOf<"secret"> => resource.kind === "secret");
  return new Map(secrets.map(({ stack, name, file }) => [`${stack}_${name}`, file]));
}

function minus(names: readonly string[], others: readonly string[]): readonly string[] {
  return names.filter((name) => !others.includes(name)).toSorted();
}
