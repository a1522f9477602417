import { Construct } from "constructs";
import { nixJoin, nixName } from "../core/nix.ts";
import { secluded } from "../nixos/hardening.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { SystemdUnit } from "../nixos/systemd-unit.ts";

export interface ImagePruningProps {
  /** Full name of the daemon's unit. */
  readonly service: string;
  /** When it happens, as systemd's OnCalendar. @default weekly */
  readonly onCalendar?: string | undefined;
}

/**
 * Removes images that have neither a tag nor a container, running or stopped. Whoever deploys pulls by
 * tag first, as the desired state of a stack demands, so what a deploy or a run needs has a tag until
 * it has a container. `docker system prune` would take networks too, and `--all` images that were
 * loaded by hand.
 */
export class ImagePruning extends Construct {
  constructor(scope: Construct, id: string, props: ImagePruningProps) {
    super(scope, id);
    const { onCalendar = "weekly" } = props;
    const module = new NixosModule(this, "module", {
      name: "prune",
      template: "swarm/image-pruning.nix",
    });
    const unit = new SystemdUnit(this, "service", {
      name: "cc-ci-prune",
      kind: "service",
      module,
      options: () => ({
        description: "Remove untagged images that no container uses",
        startLimitIntervalSec: 0,
        serviceConfig: {
          Type: "oneshot",
          ExecStart: nixJoin([nixName("docker"), " image prune --force"]),
          TimeoutStartSec: "10min",
          ...secluded,
        },
      }),
    });
    unit.needsForeign(props.service, "requires");
    new SystemdUnit(this, "timer", {
      name: "cc-ci-prune",
      kind: "timer",
      module,
      options: () => ({
        description: "Remove untagged images at intervals",
        wantedBy: ["timers.target"],
        timerConfig: { OnCalendar: onCalendar, Persistent: true, RandomizedDelaySec: "1h" },
      }),
    });
    this.node.addValidation({ validate: () => calendarProblems(onCalendar) });
  }
}

/** Expressions that systemd has a word for (systemd.time(7)). */
const words = new Set(
  "minutely hourly daily weekly monthly quarterly semiannually yearly annually".split(" "),
);

/** systemd alone knows all of the syntax; what can be no part of it is refused here. */
function calendarProblems(calendar: string): string[] {
  const plausible = /^[A-Za-z0-9*:,./~_ +-]+$/.test(calendar) && /[0-9*]/.test(calendar);
  return words.has(calendar) || plausible
    ? []
    : [
        `pruneOnCalendar: ${JSON.stringify(calendar)} is no calendar of systemd: write it as in weekly or Sun 03:00`,
      ];
}
