import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mounts } from "./mounts.ts";
import { kill } from "./processes.ts";

/**
 * Where a control group of a machine goes, one folder for each hierarchy: below the group that this
 * process stands in, so that nobody's limits are left. A machine needs groups of its own in all of
 * them, for the Docker inside makes further ones at the top of what it sees.
 */
export function cgroupFolders(name: string): readonly string[] {
  const own = readFileSync("/proc/self/cgroup", "utf8").trimEnd().split("\n");
  const isPure = own.length === 1;
  return own.flatMap((line) => {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const hierarchy = mounts().find(({ type, options }) =>
      controllers === ""
        ? type === "cgroup2"
        : type === "cgroup" && controllers.split(",").every((each) => options.includes(each)),
    );
    if (hierarchy === undefined) return [];
    // With version 2 alone, a group gets controllers only where its parent hands them on: the top.
    const parent = isPure || !path.startsWith(hierarchy.root) ? "/" : below(hierarchy.root, path);
    return [join(hierarchy.path, parent, name)];
  });
}

function below(root: string, path: string): string {
  return root === "/" ? path : path.slice(root.length) || "/";
}

/** Makes the folders; leaves out those of hierarchies that this process may not write to. */
export function makeCgroups(folders: readonly string[]): readonly string[] {
  return folders.filter((folder) => {
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      return false;
    }
    // In version 1 a new group has neither processors nor memory, and takes no process until it has.
    for (const key of ["cpuset.cpus", "cpuset.mems"]) {
      const parent = join(folder, "..", key);
      if (existsSync(join(folder, key)) && existsSync(parent)) {
        const value = readFileSync(parent, "utf8").trim();
        if (value !== "") writeFileSync(join(folder, key), value);
      }
    }
    return true;
  });
}

function processesIn(folder: string): readonly number[] {
  return groupsIn(folder).flatMap((group) => {
    try {
      return readFileSync(join(group, "cgroup.procs"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
}

/** A group and all below it, the innermost first. */
function groupsIn(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  return [...names.flatMap((name) => groupsIn(join(folder, name))), folder];
}

/**
 * Where systemd-nspawn puts the units of a machine's system; undefined while there are none. They are looked for often:
 * where two hierarchies have them, with version 1, they are the same in both.
 */
function systemSlice(folders: readonly string[]): string | undefined {
  const slices = folders.map((folder) => join(folder, "payload/system.slice"));
  return slices.find((slice) => existsSync(slice));
}

/** The processes of one unit of a machine's system. */
export function processesOfUnit(folders: readonly string[], unit: string): readonly number[] {
  const slice = systemSlice(folders);
  return slice === undefined ? [] : processesIn(join(slice, unit));
}

/**
 * The units of a machine's system that have processes, those of a slice below it as `<slice>/<unit>`; seen from
 * outside, it costs the machine nothing.
 */
export function systemUnitsIn(folders: readonly string[]): ReadonlySet<string> {
  const slice = systemSlice(folders);
  return new Set(slice === undefined ? [] : unitsIn(slice));
}

function unitsIn(slice: string): readonly string[] {
  return namesIn(slice).flatMap((name) =>
    name.endsWith(".slice") ? unitsIn(join(slice, name)).map((unit) => join(name, unit)) : [name],
  );
}

/** None in a group that has gone meanwhile. */
function namesIn(group: string): readonly string[] {
  try {
    return readdirSync(group);
  } catch {
    return [];
  }
}

const limitMilliseconds = 20_000;

/**
 * Ends every process in these groups, and removes them.
 *
 * @throws {Error} when something in them cannot be ended
 */
export async function removeCgroups(folders: readonly string[]): Promise<void> {
  const end = performance.now() + limitMilliseconds;
  for (;;) {
    for (const pid of new Set(folders.flatMap(processesIn))) kill(pid);
    const left = folders.flatMap(groupsIn).filter((group) => !isRemoved(group));
    if (left.length === 0) return;
    if (performance.now() > end) throw new Error(`${left.join(", ")}: cannot be removed`);
    await sleep(10);
  }
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
