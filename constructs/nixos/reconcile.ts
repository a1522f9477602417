import { Construct } from "constructs";
import { nixName } from "../core/nix.ts";
import { ConvergePiece } from "./converge-piece.ts";
import { secluded } from "./hardening.ts";
import { Machine } from "./machine.ts";
import { NixosModule } from "./nixos-module.ts";
import { type HasUnit, SystemdUnit } from "./systemd-unit.ts";

export interface ReconcileProps {
  /** When the timer starts every piece, as systemd's OnCalendar. @default every ten minutes */
  readonly onCalendar?: string;
}

/**
 * `cc-ci.target`, which starts every piece at boot and at each switch, and the timer that starts
 * them again so that what drifted is repaired.
 */
export class Reconcile extends Construct implements HasUnit {
  readonly unit: SystemdUnit;

  constructor(scope: Construct, id: string, props: ReconcileProps = {}) {
    super(scope, id);
    const machine = Machine.of(this);
    const module = new NixosModule(this, "module", {
      name: "target",
      template: "nixos/target.nix",
    });
    new SystemdUnit(this, "target", {
      name: "cc-ci",
      kind: "target",
      module,
      options: () => ({
        description: "Everything that cc-ci keeps true on this host",
        wantedBy: ["multi-user.target"],
      }),
    });
    this.unit = new SystemdUnit(this, "service", {
      name: "cc-ci-reconcile",
      kind: "service",
      module,
      options: () => {
        const pieces = machine.node
          .findAll()
          .filter((construct) => construct instanceof ConvergePiece)
          .map(({ unit }) => unit.fullName)
          .sort();
        return {
          description: "Run every piece of cc-ci again",
          after: pieces,
          wants: pieces,
          startLimitIntervalSec: 0,
          serviceConfig: {
            Type: "oneshot",
            // Its work is what it wants; a service without a command is refused.
            ExecStart: nixName("nothing"),
            TimeoutStartSec: "1min",
            ...secluded,
          },
        };
      },
    });
    new SystemdUnit(this, "timer", {
      name: "cc-ci-reconcile",
      kind: "timer",
      module,
      options: () => ({
        description: "Run every piece of cc-ci again at intervals",
        wantedBy: ["timers.target"],
        timerConfig: {
          OnCalendar: props.onCalendar ?? "*:00/10",
          AccuracySec: "30s",
          RandomizedDelaySec: "1min",
        },
      }),
    });
  }
}
