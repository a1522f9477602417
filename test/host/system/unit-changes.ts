import type { System } from "./system.ts";

/** What a switch does to units that run, by what NixOS' switch-to-configuration does. */
export interface UnitChanges {
  /** Ended before the files of the new configuration are put in place. */
  readonly stop: readonly string[];
  readonly reload: readonly string[];
  readonly restart: readonly string[];
  /** Started again at the end, beside every target that is active. */
  readonly start: readonly string[];
}

/**
 * Compares the active units of one system with the files of the next.
 *
 * @param active names of the units that are active or activating
 */
export function unitChanges(
  before: Pick<System, "units">,
  after: Pick<System, "units">,
  active: ReadonlySet<string>,
): UnitChanges {
  const changes = {
    stop: new Set<string>(),
    reload: new Set<string>(),
    restart: new Set<string>(),
    start: new Set<string>(),
  };
  for (const name of active) {
    const file = before.units[name] === undefined ? templateOf(name) : name;
    const [{ text } = { text: undefined }, next] = [before.units[file], after.units[file]];
    if (text === undefined) continue;
    const [old, fresh] = [parse(text), parse(next?.text ?? "")];
    if (next === undefined) {
      if (flag(old, "Unit", "X-StopOnRemoval", true)) changes.stop.add(name);
    } else if (name.endsWith(".target")) {
      if (flag(fresh, "Unit", "X-StopOnReconfiguration", false)) changes.stop.add(name);
    } else {
      const difference = compare(old, fresh);
      if (difference === "restart") handleModified(name, fresh, active, after, changes);
      else if (difference === "reload") changes.reload.add(name);
    }
  }
  return {
    stop: [...changes.stop],
    reload: [...changes.reload],
    restart: [...changes.restart],
    start: [...changes.start],
  };
}

/** The file that an instance comes from: `a@.service` for `a@1.service`. */
function templateOf(name: string): string {
  return name.replace(/@[^@]+(?=\.\w+$)/, "@");
}

type Mutable = Readonly<Record<keyof UnitChanges, Set<string>>>;

function handleModified(
  name: string,
  unit: ParsedUnit,
  active: ReadonlySet<string>,
  after: Pick<System, "units">,
  changes: Mutable,
): void {
  // daemon-reload is enough for the first two; the last is left alone by NixOS too.
  if (/\.(?:path|slice|socket)$/.test(name)) return;
  if (name.endsWith(".mount") || flag(unit, "Service", "X-ReloadIfChanged", false)) {
    changes.reload.add(name);
  } else if (
    !flag(unit, "Service", "X-RestartIfChanged", true) ||
    flag(unit, "Unit", "RefuseManualStop", false) ||
    flag(unit, "Unit", "X-OnlyManualStart", false)
  ) {
    return;
  } else if (!flag(unit, "Service", "X-StopIfChanged", true)) {
    changes.restart.add(name);
  } else {
    const socket = name.replace(/(?:@.*)?\.service$/, ".socket");
    const isActivated =
      name.endsWith(".service") &&
      after.units[socket] !== undefined &&
      !flag(unit, "Service", "X-NotSocketActivated", false);
    changes.stop.add(name);
    if (!isActivated) changes.start.add(name);
    else if (active.has(socket)) {
      changes.stop.add(socket);
      changes.start.add(socket);
    }
  }
}

/** By section and key, each with the values of its lines. */
type ParsedUnit = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

function parse(text: string): ParsedUnit {
  const sections = new Map<string, Map<string, string[]>>();
  let keys = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    const [, key, value = ""] = /^([^#;=[]+)=(.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      keys = sections.get(section) ?? new Map();
      sections.set(section, keys);
    } else if (key !== undefined) keys.set(key, [...(keys.get(key) ?? []), value]);
  }
  return sections;
}

function flag(unit: ParsedUnit, section: string, key: string, otherwise: boolean): boolean {
  const value = unit.get(section)?.get(key)?.at(-1);
  return value === undefined ? otherwise : ["1", "yes", "true", "on"].includes(value);
}

/** Keys of [Unit] that mean nothing for what runs already. */
const meaningless = [
  "AllowIsolate",
  "CollectMode",
  "Description",
  "Documentation",
  "IgnoreOnIsolate",
  "OnFailure",
  "OnFailureJobMode",
  "OnSuccess",
  "RefuseManualStart",
  "RefuseManualStop",
  "SourcePath",
  "StopWhenUnneeded",
];

function compare(old: ParsedUnit, fresh: ParsedUnit): "equal" | "reload" | "restart" {
  let result: "equal" | "reload" = "equal";
  for (const section of new Set([...old.keys(), ...fresh.keys()])) {
    if (section === "Install") continue;
    const [a, b] = [old.get(section), fresh.get(section)];
    for (const key of new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])) {
      if (section === "Unit" && meaningless.includes(key)) continue;
      if (JSON.stringify(a?.get(key)) === JSON.stringify(b?.get(key))) continue;
      const isReload =
        (section === "Unit" && key === "X-Reload-Triggers") ||
        (section === "Mount" && key === "Options");
      if (!isReload) return "restart";
      result = "reload";
    }
  }
  return result;
}
