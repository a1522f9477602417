import { Construct } from "constructs";
import type { JsonObject } from "../core/json.ts";
import { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { ImagePruning } from "./image-pruning.ts";

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
    Machine.of(this).restartsWith(this.service, module, settings);
    new ImagePruning(this, "pruning", { service: this.service, onCalendar: props.pruneOnCalendar });
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
      validate: () => mirrorProblems(props.registryMirrors ?? []),
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
  // dockerd does not start with a mirror that it cannot read.
  const isServer = (mirror: string): boolean => {
    const port = /^https?:\/\/(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::(\d{1,5}))?\/?$/.exec(mirror);
    return (
      port !== null && (port[1] === undefined || (Number(port[1]) > 0 && Number(port[1]) < 65_536))
    );
  };
  return mirrors
    .filter((mirror) => !isServer(mirror))
    .map(
      (mirror) =>
        `registryMirrors: ${JSON.stringify(mirror)} must be the address of a server without a path, as in https://mirror.example.org`,
    );
}
