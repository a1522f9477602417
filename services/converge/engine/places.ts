import { join } from "node:path";

/** Where each piece remembers something, as its unit's StateDirectory is named. */
const stateRoot = "/var/lib/cc-ci/state";

/** What a piece remembers: evidence, never a reason to skip. */
export function stateFolder(piece: string): string {
  return join(stateRoot, piece);
}

/** The unit that converges a piece. */
export function unitOf(piece: string): string {
  return `cc-ci-${piece}.service`;
}
