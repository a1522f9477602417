import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { cacheRoot } from "../../setup/cache.ts";
import { withLock } from "../../setup/lock.ts";
import { cgroupFolders, removeCgroups } from "./cgroups.ts";
import { unmountBelow } from "./mounts.ts";
import { startOf } from "./processes.ts";

/** Who a throwaway folder belongs to: it is removed once that process is gone. */
const ownerSchema = z.object({
  pid: z.number(),
  started: z.string(),
  purpose: z.enum(["case", "setup", "person"]),
  /** Control groups that may have been made for it. */
  cgroups: z.array(z.string()),
});

type Owner = z.infer<typeof ownerSchema>;

/** What a machine is for: a case takes one of the places that cases share. */
export type Purpose = Owner["purpose"];

/**
 * How many hosts of cases run at once, over all test runs on this machine. One at rest takes nothing,
 * one that deploys takes a core: with two cores, a few more waiting than working keeps both busy.
 */
export const hostsAtOnce = 6;

/** A case waits this long for one of the others to end. */
const waitSeconds = 1200;

/** On the file system of the cache, so that images need not be copied. */
function hostsFolder(): string {
  return join(cacheRoot(), "hosts");
}

/** A folder of a machine, with what else of it must go. */
export interface Throwaway {
  readonly folder: string;
  readonly purpose: Purpose;
  /** Its control groups, not yet made. */
  readonly cgroups: readonly string[];
}

/**
 * A new folder, after removing what dead owners left. A case waits until one of `hostsAtOnce` places
 * is free.
 */
export async function makeThrowaway(purpose: Purpose): Promise<Throwaway> {
  const end = performance.now() + waitSeconds * 1000;
  for (;;) {
    const made = await locked(async () => {
      await removeDead();
      const taken = readOwners().filter(({ owner }) => owner?.purpose === "case").length;
      if (purpose === "case" && taken >= hostsAtOnce) return undefined;
      const name = `cc-ci-${randomBytes(4).toString("hex")}`;
      const folder = join(hostsFolder(), name);
      const throwaway = { folder, purpose, cgroups: cgroupFolders(name) };
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      giveTo(throwaway, process.pid);
      return throwaway;
    });
    if (made !== undefined) return made;
    if (performance.now() > end) {
      throw new Error(`all ${hostsAtOnce} places for hosts are taken, for ${waitSeconds} s now`);
    }
    await sleep(200);
  }
}

/** Hands the folder to a process, whose end is the folder's end from now on. */
export function giveTo({ folder, purpose, cgroups }: Throwaway, pid: number): void {
  const started = startOf(pid);
  if (started === undefined) throw new Error(`process ${pid} is gone`);
  const owner: Owner = { pid, started, purpose, cgroups: [...cgroups] };
  const file = join(folder, "owner.json");
  writeFileSync(`${file}.new`, JSON.stringify(owner));
  renameSync(`${file}.new`, file);
}

/** The folder of the host that a person keeps, with the process that holds it, if there is one. */
export function findPersons(): { readonly throwaway: Throwaway; readonly pid: number } | undefined {
  for (const { folder, owner } of existsSync(hostsFolder()) ? readOwners() : []) {
    if (owner?.purpose !== "person" || !isAlive(owner)) continue;
    return { throwaway: { folder, purpose: "person", cgroups: owner.cgroups }, pid: owner.pid };
  }
  return undefined;
}

/** Ends what runs in it and removes everything. */
export async function removeThrowaway({
  folder,
  cgroups,
}: Pick<Throwaway, "folder" | "cgroups">): Promise<void> {
  await removeCgroups(cgroups);
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** Removes what runs left that ended without doing so. */
export async function removeLeftovers(): Promise<void> {
  if (existsSync(hostsFolder())) await locked(removeDead);
}

async function locked<T>(body: () => Promise<T>): Promise<T> {
  mkdirSync(hostsFolder(), { recursive: true, mode: 0o700 });
  return withLock(join(hostsFolder(), ".lock"), body);
}

async function removeDead(): Promise<void> {
  for (const { folder, owner } of readOwners()) {
    if (owner !== undefined && isAlive(owner)) continue;
    await removeThrowaway({ folder, cgroups: owner?.cgroups ?? cgroupFolders(basename(folder)) });
  }
}

function isAlive({ pid, started }: Owner): boolean {
  return startOf(pid) === started;
}

function readOwners(): readonly { readonly folder: string; readonly owner: Owner | undefined }[] {
  return readdirSync(hostsFolder(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const folder = join(hostsFolder(), entry.name);
      return { folder, owner: readOwner(folder) };
    });
}

function readOwner(folder: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")));
  } catch {
    return undefined;
  }
}
