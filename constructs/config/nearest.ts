import { distance } from "../../services/lib/distance.ts";

/**
 * The candidate that `word` was probably meant to be, or undefined when none is close: the fewest
 * single-character edits, two at the most and fewer than half of the word.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.floor((word.length - 1) / 2));
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      edits: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ edits }) => edits <= limit)
    .sort((left, right) => left.edits - right.edits);
  return ranked[0]?.candidate;
}
