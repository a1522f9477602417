import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** Something that takes long to make and stays the same for as long as what it is made of does. */
export interface CachedThing {
  readonly name: string;
  /** Everything that decides what comes out: versions, sources, the commands, the machine's kind. */
  readonly madeOf: () => readonly (string | Buffer)[];
  /** Fills an empty folder. What it leaves there when it fails is thrown away. */
  readonly build: (folder: string) => Promise<void>;
}

const unfinished = ".unfinished-";

/** The folder for what outlives a checkout: CC_CI_CACHE, else the user's cache folder. */
export function cacheRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.CC_CI_CACHE) return resolve(env.CC_CI_CACHE);
  const xdg = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path there is invalid and to be ignored.
  const base = xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
  return join(base, "cc-ci");
}

/** Where the thing is, or will be once it is built. */
export function cachedFolder(thing: CachedThing, root = cacheRoot()): string {
  const digest = createHash("sha256");
  for (const part of thing.madeOf()) {
    // With its length in front: ["ab", "c"] and ["a", "bc"] are not the same.
    digest.update(`${Buffer.byteLength(part)}:`).update(part);
  }
  return join(root, `${thing.name}-${digest.digest("hex").slice(0, 16)}`);
}

/** A folder gets its name only when it is whole. */
export function isBuilt(thing: CachedThing, root = cacheRoot()): boolean {
  return existsSync(cachedFolder(thing, root));
}

/** Builds the thing unless it is there. To be called under the cache's lock. */
export async function buildInCache(thing: CachedThing, root = cacheRoot()): Promise<string> {
  const folder = cachedFolder(thing, root);
  if (existsSync(folder)) return folder;
  await mkdir(root, { recursive: true });
  const scratch = await mkdtemp(join(root, `${unfinished}${thing.name}-`));
  try {
    await thing.build(scratch);
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** Removes what a setup that was killed has left. To be called under the cache's lock. */
export async function removeUnfinished(root = cacheRoot()): Promise<void> {
  const names = existsSync(root) ? await readdir(root) : [];
  for (const name of names.filter((each) => each.startsWith(unfinished))) {
    await rm(join(root, name), { recursive: true, force: true });
  }
}
