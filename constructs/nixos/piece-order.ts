import type { Graph } from "../core/graph.ts";
import type { ConvergePiece } from "./converge-piece.ts";

/**
 * Sorts pieces so that each comes after those that it depends on, and those that are free of each
 * other by name. Linear but for the sort; a cycle keeps the order by name, its error comes elsewhere.
 */
export function pieceOrder(
  pieces: readonly ConvergePiece[],
  graph: Graph,
): readonly ConvergePiece[] {
  const byUnit = new Map(pieces.map((piece) => [piece.unit.fullName, piece]));
  const needs = new Map<string, string[]>();
  for (const { from, to } of graph.edges) needs.set(from, [...(needs.get(from) ?? []), to]);
  const ordered: ConvergePiece[] = [];
  const seen = new Set<string>();
  const visit = (unit: string): void => {
    if (seen.has(unit)) return;
    seen.add(unit);
    for (const other of (needs.get(unit) ?? []).toSorted()) visit(other);
    const piece = byUnit.get(unit);
    if (piece !== undefined) ordered.push(piece);
  };
  for (const unit of [...byUnit.keys()].sort()) visit(unit);
  return ordered;
}
