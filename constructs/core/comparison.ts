import { digestOf } from "./digest.ts";
import type { FileSpec } from "./file-spec.ts";
import type { Manifest } from "./manifest.ts";

/**
 * How a file on the disk differs from what the sources say.
 * - `missing`: the sources say it, and it is not there.
 * - `stale`: the last synth wrote it so, and the sources say something else by now.
 * - `edited`: it is not even what the last synth wrote.
 * - `orphan`: the last synth wrote it, and the sources do not say it any more.
 * - `foreign`: no synth wrote it; it lies among the generated files all the same.
 */
export type DifferenceState = "missing" | "stale" | "edited" | "orphan" | "foreign";

export interface Difference {
  readonly path: string;
  readonly state: DifferenceState;
  /** The text on the disk; undefined where there is none. */
  readonly before: string | undefined;
  /** The text that the sources say; undefined where they say none. */
  readonly after: string | undefined;
}

/** Compares files with what lies on the disk. Pure; sorted by path; empty when all is as it should be. */
export function compare(
  files: readonly FileSpec[],
  disk: ReadonlyMap<string, string>,
  manifest: Manifest | undefined,
): readonly Difference[] {
  const differences: Difference[] = [];
  for (const { path, content } of files) {
    const before = disk.get(path);
    if (before === content) continue;
    const written = manifest?.files[path]?.digest;
    const edited = before !== undefined && written !== undefined && written !== digestOf(before);
    const state = before === undefined ? "missing" : edited ? "edited" : "stale";
    differences.push({ path, state, before, after: content });
  }
  const wanted = new Set(files.map(({ path }) => path));
  for (const [path, before] of disk) {
    if (wanted.has(path)) continue;
    const ours = manifest?.files[path] !== undefined;
    differences.push({ path, state: ours ? "orphan" : "foreign", before, after: undefined });
  }
  return differences.sort((left, right) => (left.path < right.path ? -1 : 1));
}
