import { Construct } from "constructs";
import type { ResourceOf } from "../../services/converge/desired-state.ts";
import { nixName } from "../core/nix.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";

export interface RetiredPiecesProps {
  /** The swarm whose stacks, networks and secrets are compared with the list of pieces. */
  readonly swarm: HasUnit;
}

/** How long one pass may take to undeploy what left the configuration, in seconds. */
const waitSeconds = 600;

/** What left the configuration: with a piece that is gone, or a piece's own under another name. */
export function retiredResource(of: ResourceOf<"retired">["of"]): ResourceOf<"retired"> {
  return {
    kind: "retired",
    of,
    piecesFile: "/etc/cc-ci/pieces.json",
    abraDirectories: statePath(stateFolders.apps),
    waitSeconds,
  };
}

/**
 * Undeploys what left the configuration with its piece. Runs before the other pieces: what takes over a port or a
 * name needs it to be free.
 */
export class RetiredPieces extends Construct implements HasUnit {
  readonly unit: SystemdUnit;

  constructor(scope: Construct, id: string, props: RetiredPiecesProps) {
    super(scope, id);
    const piece = new ConvergePiece(this, "piece", {
      name: "retire",
      description: "Undeploy what is ours and left the configuration",
      requires: [props.swarm],
      path: [
        nixName("config", "cc-ci", "packages", "abra"),
        nixName("config", "cc-ci", "packages", "git"),
      ],
      stateDirectories: [stateFolders.apps],
      resources: () => [retiredResource("host")],
    });
    this.unit = piece.unit;
  }
}
