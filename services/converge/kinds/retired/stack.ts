import { join } from "node:path";
import { stackLabel } from "../../adapters/docker.ts";
import type { Container, Network, SealedFile, Service } from "../../adapters/docker-schemas.ts";
import { ownershipConfig, type PieceList, type ResourceOf } from "../../desired-state.ts";
import { readPieces } from "../../engine/installed.ts";
import { defineLines } from "../../engine/line.ts";
import { isOurs, pieceLabel } from "../../engine/ownership.ts";
import type { Context } from "../../engine/steps.ts";
import type { World } from "../../engine/world.ts";
import { orphansAmong } from "./orphans.ts";

export const retiredStackLines = defineLines({
  "pieces-of-another-host": {
    as: "refused",
    says: "{path} is the list of host '{theirs}', and this unit is one of '{ours}': nothing is undeployed by a list of somebody else: run 'nixos-rebuild switch' again",
  },
});

/** A stack of ours that no piece names any more. */
export interface RetiredStack {
  readonly name: string;
  readonly ownership: SealedFile;
  readonly services: readonly Service[];
  /** What it has left that nobody but us removes. */
  readonly orphans: readonly Container[];
  readonly volumes: readonly string[];
  /** The stack's own networks and configs, which go with it. */
  readonly networks: readonly Network[];
  readonly configs: readonly SealedFile[];
  /** abra's state folder and the app's domain; undefined when its `.env` or its recipe is not there. */
  readonly app: { readonly domain: string; readonly directory: string } | undefined;
}

/** The sign of a stack that no piece names, with the stack's name and the piece that deployed it. */
export interface Unnamed {
  readonly name: string;
  readonly ownership: SealedFile;
  /** Undefined where that piece is gone too. */
  readonly piece: string | undefined;
}

/** Newest first: what was deployed later may need what was there before it. */
export function unnamedStacks(
  configs: readonly SealedFile[],
  { pieces }: PieceList,
  host: string,
): readonly Unnamed[] {
  const named = new Set(pieces.flatMap(({ stacks }) => stacks));
  return configs
    .filter((config) => isOurs(config.Spec.Labels, host))
    .flatMap((ownership) => {
      const name = stackNameOf(ownership);
      if (name === undefined || named.has(name)) return [];
      const piece = pieces.find((each) => each.name === ownership.Spec.Labels[pieceLabel]);
      return [{ name, ownership, piece: piece?.name }];
    })
    .sort((a, b) => (a.ownership.CreatedAt < b.ownership.CreatedAt ? 1 : -1));
}

/**
 * The list that says what is retired.
 *
 * @throws {Stop} when it is another host's
 */
export async function piecesFor(
  { piecesFile: path }: ResourceOf<"retired">,
  { world, host }: Context,
): Promise<PieceList> {
  const pieces = await readPieces(world.files, path);
  if (pieces.host === host) return pieces;
  throw retiredStackLines.stop("pieces-of-another-host", { path, theirs: pieces.host, ours: host });
}

/** The names of the stacks that the piece at hand undeploys before it deploys its own. */
export async function stacksToReplace(context: Context): Promise<ReadonlySet<string>> {
  const { resources, world, host, piece } = context;
  const own = resources.find((each) => each.kind === "retired");
  if (own === undefined) return new Set();
  const unnamed = unnamedStacks(await world.docker.configs(), await piecesFor(own, context), host);
  return new Set(unnamed.filter((each) => each.piece === piece).map(({ name }) => name));
}

/** Docker lists things in an order of its own, which is another one after every deploy. */
export function byName(a: { readonly Name: string }, b: { readonly Name: string }): number {
  return a.Name < b.Name ? -1 : 1;
}

/** All that is left of it, and whether abra still knows it. */
export async function lookAt(
  { name, ownership }: Unnamed,
  { abraDirectories }: ResourceOf<"retired">,
  world: World,
): Promise<RetiredStack> {
  const { docker, files } = world;
  const domain = (await files.list(abraDirectories)).find(
    (each) => each.replaceAll(".", "_") === name,
  );
  const directory = join(abraDirectories, domain ?? "");
  const isKnown =
    domain !== undefined &&
    (await files.exists(join(directory, "servers/default", `${domain}.env`))) &&
    (await hasClone(join(directory, "recipes"), world));
  return {
    ...{ name, ownership },
    services: (await docker.services(name)).toSorted((a, b) => byName(a.Spec, b.Spec)),
    orphans: await orphansAmong(await docker.containers({ stack: name, all: true }), world),
    volumes: await docker.volumes(name),
    networks: (await docker.networks())
      .filter(({ Labels }) => Labels[stackLabel] === name)
      .toSorted(byName),
    configs: (await docker.configs())
      .filter(({ Spec }) => Spec.Labels[stackLabel] === name)
      .toSorted((a, b) => byName(a.Spec, b.Spec)),
    app: isKnown ? { domain, directory } : undefined,
  };
}

/** Whether a folder of recipes has one that git can read; an app has one alone. */
async function hasClone(folder: string, { files, git }: World): Promise<boolean> {
  for (const name of (await files.list(folder)).filter((each) => !each.startsWith("."))) {
    const clone = join(folder, name);
    if ((await git.isClone(clone)) && (await git.hasHead(clone))) return true;
  }
  return false;
}

/** The stack that an ownership config speaks of; undefined for any other config. */
function stackNameOf(config: SealedFile): string | undefined {
  const suffix = ownershipConfig("");
  const { Name } = config.Spec;
  return Name.endsWith(suffix) ? Name.slice(0, -suffix.length) : undefined;
}
