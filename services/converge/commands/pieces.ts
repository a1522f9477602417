import type { Files } from "../adapters/files.ts";
import type { Piece } from "../desired-state.ts";
import { readPieces } from "../engine/installed.ts";
import { defineLines } from "../engine/line.ts";

export const piecesLines = defineLines({
  "no-such-piece": {
    as: "refused",
    says: "no piece is called '{name}' here: there are {names}",
  },
  "not-root": {
    as: "refused",
    says: "only root may ask Docker and read the host files: run it with sudo",
  },
});

/** @throws {Stop} for another user than root */
export function mustBeRoot(): void {
  if (process.getuid?.() !== 0) throw piecesLines.stop("not-root", {});
}

/** The pieces of a host, in their order. */
interface ChosenPieces {
  readonly host: string;
  readonly all: readonly Piece[];
  /** What was asked for: all of them, or the named one. */
  readonly chosen: readonly Piece[];
}

/** @throws {Stop} when there is none of that name */
export async function choosePieces(files: Files, name?: string): Promise<ChosenPieces> {
  const { host, pieces } = await readPieces(files);
  const chosen = pieces.filter((piece) => name === undefined || piece.name === name);
  if (chosen.length > 0 || name === undefined) return { host, all: pieces, chosen };
  const names = pieces.map((piece) => piece.name).join(", ");
  throw piecesLines.stop("no-such-piece", { name, names });
}

/** What a list that Nix has filled in says for a value. */
export function filled(value: string | { readonly slot: string }): string {
  return typeof value === "string" ? value : "";
}
