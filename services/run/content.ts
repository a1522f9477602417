import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isNotThere } from "../lib/not-there.ts";

/** A file of a run. */
export interface RunFile {
  /** Below the run's folder, a character for each byte: a test names files as it likes, and not in UTF-8 alone. */
  readonly path: string;
  readonly bytes: number;
}

/** What says what a run was, and what it came to: goes with the run alone. */
const core: ReadonlySet<string> = new Set([
  ...["request.json", "results.json", "tear-down-owed.json"],
]);

/** What a run leaves beside that and its log, which has a limit of its own (run-log.ts). */
const others: ReadonlySet<string> = new Set([...core, "log.jsonl"]);

/** The most that a run may leave: 256 MiB in 10 000 files. A backup or a video of an app fits. */
export const artefactLimit = { bytes: 256 * 1024 * 1024, files: 10_000 } as const;

/** All files of a run's folder; links are files, and led nowhere by. */
export async function filesIn(folder: string): Promise<readonly RunFile[]> {
  const files: RunFile[] = [];
  const folders = [""];
  for (const below of folders) {
    for (const entry of await entriesOf(pathIn(folder, below))) {
      const path = `${below}${entry.name.toString("latin1")}`;
      if (entry.isDirectory()) folders.push(`${path}/`);
      else {
        const bytes = await sizeOf(pathIn(folder, path));
        if (bytes !== undefined) files.push({ path, bytes });
      }
    }
  }
  return files;
}

async function entriesOf(folder: Buffer) {
  return await readdir(folder, { withFileTypes: true, encoding: "buffer" });
}

/** As the system knows it: text that was no UTF-8 would name another file. */
function pathIn(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, "latin1")]);
}

/** Undefined for what went away meanwhile. */
async function sizeOf(path: Buffer): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

export function bytesOf(files: readonly RunFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Those without which nobody knows what a run was. */
export function coreOf(files: readonly RunFile[]): readonly RunFile[] {
  return files.filter(({ path }) => core.has(path));
}

/** What is over the limit of what a run may leave: the largest, so that as much as can be stays. Pure. */
export function excessOf(
  files: readonly RunFile[],
  limit: Readonly<Record<"bytes" | "files", number>> = artefactLimit,
): readonly RunFile[] {
  const own = files.filter(({ path }) => !others.has(path));
  const smallestFirst = own.toSorted((one, other) => one.bytes - other.bytes);
  let bytes = 0;
  return smallestFirst.filter((file, index) => {
    bytes += file.bytes;
    return index >= limit.files || bytes > limit.bytes;
  });
}

/** @throws {Error} of the first that does not go, once the others have */
export async function removeFiles(folder: string, files: readonly RunFile[]): Promise<void> {
  await removeAll(files.map(({ path }) => pathIn(folder, path)));
}

/**
 * Removes artefacts and log, and whatever else there is beside what a run came to. Its folder is fit for a teardown
 * all the same.
 *
 * @throws {Error} as above
 */
export async function stripFolder(folder: string): Promise<void> {
  const entries = await entriesOf(pathIn(folder, ""));
  const others = entries.filter(
    (entry) => entry.isDirectory() || !core.has(entry.name.toString("latin1")),
  );
  await removeAll(others.map(({ name }) => pathIn(folder, name.toString("latin1"))));
  await makeArtefactsFolder(folder);
}

/** Where a run and its teardown leave what they like. */
export async function makeArtefactsFolder(folder: string): Promise<void> {
  await mkdir(join(folder, "artefacts"), { recursive: true, mode: 0o700 });
}

async function removeAll(paths: readonly Buffer[]): Promise<void> {
  const problems: unknown[] = [];
  for (const path of paths) {
    await rm(path, { recursive: true, force: true }).catch((error) => problems.push(error));
  }
  if (problems.length > 0) throw problems[0];
}
