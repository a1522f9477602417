import { Construct } from "constructs";
import type { JsonObject } from "../core/json.ts";
import { nixJoin, nixName } from "../core/nix.ts";
import { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { SystemdUnit } from "../nixos/systemd-unit.ts";

export interface DockerEngineProps {
  /** URLs of pull-through mirrors of Docker Hub, asked before it. @default none */
  readonly registryMirrors?: readonly string[];
  /** Absolute path of the `config.json` of a Docker client to pull with. @default pull as nobody */
  readonly registryCredentials?: string;
  /** Size at which a container's log is rotated, in MiB. @default 10 */
  readonly logMaxMiB?: number;
  /** How many log files a container keeps. @default 3 */
  readonly logFiles?: number;
  /** When images that nothing uses are removed, as systemd's OnCalendar. @default weekly */
  readonly pruneOnCalendar?: string;
}

/** How long a daemon that stops waits for its containers before it kills them, in seconds. */
export const shutdownSeconds = 15;

/**
 * The Docker daemon with the settings that a swarm needs. Asserts on the host what must not be
 * changed beside it: live-restore (a daemon that has it does not start once there is a swarm),
 * iptables and its firewall backend, and no `docker system prune`.
 */
export class DockerEngine extends Construct {
  /** Full name of the daemon's unit. */
  readonly service = "docker.service";
  /** What images are pulled with; undefined when everything is public. */
  readonly registryCredentials: HostFile | undefined;

  constructor(scope: Construct, id: string, props: DockerEngineProps = {}) {
    super(scope, id);
    const settings = daemonSettings(props);
    const module = new NixosModule(this, "module", {
      name: "docker",
      template: "swarm/docker-engine.nix",
      context: () => ({ settings }),
    });
    Machine.of(this).restartsWith(this.service, settings);
    this.#addPruning(module, props.pruneOnCalendar ?? "weekly");
    if (props.registryCredentials !== undefined) {
      this.registryCredentials = new HostFile(this, "registryCredentials", {
        path: props.registryCredentials,
        purpose: "the credentials that images are pulled with",
        remedy:
          "run 'docker login' on your own machine and copy the config.json that it writes, without a credential helper",
        demand: { format: "docker-config" },
      });
    }
    this.node.addValidation({
      validate: () => [
        ...mirrorProblems(props.registryMirrors ?? []),
        ...calendarProblems(props.pruneOnCalendar ?? "weekly"),
      ],
    });
  }

  /**
   * Only images without a tag and without a container, running or stopped, are removed: a run pulls
   * by tag, so what it needs has one. `docker system prune` would take networks too, and `--all`
   * images that were loaded by hand.
   */
  #addPruning(module: NixosModule, onCalendar: string): void {
    const unit = new SystemdUnit(this, "prune", {
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
        },
      }),
    });
    unit.needsForeign(this.service, "requires");
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
  }
}

/** The daemon's `daemon.json`, but for what NixOS itself puts into it. */
function daemonSettings(props: DockerEngineProps): JsonObject {
  const mirrors = props.registryMirrors ?? [];
  return {
    "live-restore": false,
    "log-opts": {
      "max-file": String(props.logFiles ?? 3),
      "max-size": `${props.logMaxMiB ?? 10}m`,
    },
    "registry-mirrors": mirrors.length === 0 ? undefined : mirrors,
    "shutdown-timeout": shutdownSeconds,
  };
}

function mirrorProblems(mirrors: readonly string[]): string[] {
  return mirrors
    .filter((mirror) => !/^https?:\/\/[^\s/?#@]+\/?$/.test(mirror))
    .map(
      (mirror) =>
        `registryMirrors: ${JSON.stringify(mirror)} must be the address of a server without a path, as in https://mirror.example.org`,
    );
}

/** systemd alone knows all of the syntax; what can never be part of it is refused here. */
function calendarProblems(calendar: string): string[] {
  return /^[A-Za-z0-9*:,./~_ +-]+$/.test(calendar)
    ? []
    : [
        `pruneOnCalendar: ${JSON.stringify(calendar)} is no calendar of systemd: write it as in weekly or Sun 03:00`,
      ];
}
