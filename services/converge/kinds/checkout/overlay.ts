import { join } from "node:path";
import { formatVersion } from "../../adapters/compose.ts";
import type { CheckedOut } from "../../adapters/git.ts";
import { type ResourceOf, versionDigits } from "../../desired-state.ts";
import { defineLines } from "../../engine/line.ts";
import { sha256, stableJson } from "../../engine/stable-json.ts";
import type { Context } from "../../engine/steps.ts";

export const overlayLines = defineLines({
  "overlay-source-missing": {
    as: "failed",
    says: "{source}, which is laid over the recipe {recipe} as {file}, is not there: run 'nixos-rebuild switch' again",
  },
});

type Checkout = ResourceOf<"checkout">;

/** A file that is laid over those of a recipe. */
export interface OverlayFile {
  /** Its name there. */
  readonly file: string;
  readonly text: string;
}

/**
 * The files of ours that belong beside those of the recipe at a commit: compose files say the same version of
 * their format as the recipe's first one does.
 *
 * @throws {Stop} when what one is read from is not there
 */
export async function overlayAt(
  commit: string,
  checkout: Checkout,
  context: Context,
): Promise<readonly OverlayFile[]> {
  const files = await overlayOf(checkout, context);
  if (files.length === 0) return files;
  const first = await context.world.git.read(checkout.directory, commit, "compose.yml");
  const version = await formatVersion(first ?? "");
  if (version === undefined) return files;
  const line = `version: ${JSON.stringify(version)}\n`;
  return files.map(({ file, text }) => ({ file, text: isCompose(file) ? line + text : text }));
}

function isCompose(file: string): boolean {
  return /\.ya?ml$/.test(file);
}

/** As they were generated. */
async function overlayOf(
  { overlay, recipe, directory }: Checkout,
  { slots, world }: Context,
): Promise<readonly OverlayFile[]> {
  const files: OverlayFile[] = [];
  for (const { file, content } of overlay?.files ?? []) {
    const source = slots.get(content, directory);
    const text = await world.files.read(source);
    if (text === undefined)
      throw overlayLines.stop("overlay-source-missing", { source, recipe, file });
    files.push({ file, text: text.toString("utf8") });
  }
  return files;
}

/** Fills the slot of their version: a config that Docker makes of one cannot be changed, only be another. */
export async function fillOverlayVersion(checkout: Checkout, context: Context): Promise<void> {
  if (checkout.overlay === undefined) return;
  const { slot } = checkout.overlay.version;
  const digest = sha256(stableJson(await overlayOf(checkout, context)));
  context.slots.fill(slot, digest.slice(0, versionDigits));
}

/** Puts them there; after each checkout, which removes what git does not know. */
export async function layOver(commit: string, checkout: Checkout, context: Context): Promise<void> {
  for (const { file, text } of await overlayAt(commit, checkout, context)) {
    await context.world.files.write(join(checkout.directory, file), text);
  }
}

/** What differs of a checkout, apart. */
export interface Differences {
  /** Undefined when git cannot tell. Without the files of ours. */
  readonly files: CheckedOut | undefined;
  /** Files of ours that are missing or another there, sorted. */
  readonly overlay: readonly string[];
}

/**
 * Tells the files of ours from what git sees as changes.
 *
 * @param commit the wanted one; undefined as long as it is not here, when all is yet to be laid over
 */
export async function differences(
  files: CheckedOut | undefined,
  commit: string | undefined,
  checkout: Checkout,
  context: Context,
): Promise<Differences> {
  if (commit === undefined) return { files, overlay: [] };
  const overlay = await overlayAt(commit, checkout, context);
  const differing: string[] = [];
  for (const { file, text } of overlay) {
    const actual = await context.world.files.read(join(checkout.directory, file));
    if (actual?.toString("utf8") !== text) differing.push(file);
  }
  const ours = new Set(overlay.map(({ file }) => file));
  const changes = files?.changes.filter((path) => !ours.has(path)) ?? [];
  return { files: files && { ...files, changes }, overlay: differing.sort() };
}
