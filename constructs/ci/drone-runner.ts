import { Construct } from "constructs";
import { runnerUnit } from "../../services/lib/run.ts";
import { digestOf } from "../core/digest.ts";
import { type NixAttributes, nixJoin, nixName } from "../core/nix.ts";
import { printNix } from "../core/nix-printer.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { confined } from "../nixos/hardening.ts";
import { Machine } from "../nixos/machine.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { type HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import type { DroneRepository } from "./drone-repository.ts";
import type { DroneServer } from "./drone-server.ts";
import type { RunBoundary } from "./run-boundary.ts";

export interface DroneRunnerProps {
  readonly server: DroneServer;
  readonly repository: DroneRepository;
  /** What its builds ask for runs, and whose user it has. */
  readonly runs: RunBoundary;
}

/** The unit of the daemon. */
const daemon = runnerUnit.replace(/\.service$/, "");

/** Its folder, which lives as long as it does: what it leaves goes with it. */
const folder = `/run/${daemon}`;

/** Its own pages, for a look whether it lives; nobody else's business. */
const address = "127.0.0.1:3000";

/** What only Nix knows of the program that the daemon is started from; it stands in its command line. */
const program = nixJoin([nixName("config", "cc-ci", "packages", "drone-runner-exec")]);

/** Digits of a digest that tell settings apart. */
const settingsDigits = 12;

/** How long the daemon may take to be up, in seconds. */
const startSeconds = 60;

/**
 * The exec runner of Drone: takes builds of the CI repository alone, as many at once as there may be runs.
 * No switch restarts it, for that would wait for its builds: a piece tells it to end when its settings
 * changed, which it does once they are through.
 */
export class DroneRunner extends Construct implements HasUnit {
  readonly #piece: ConvergePiece;
  readonly #props: DroneRunnerProps;
  readonly #machine: Machine;

  constructor(scope: Construct, id: string, props: DroneRunnerProps) {
    super(scope, id);
    this.#props = props;
    this.#machine = Machine.of(this);
    const { server, runs } = props;
    const module = new NixosModule(this, "module", {
      name: "runner",
      template: "ci/drone-runner.nix",
    });
    const service = new SystemdUnit(this, "service", {
      name: daemon,
      kind: "service",
      module,
      options: () => this.#options,
    });
    // Ended before Docker is: as long as it has a build, it tells Drone how that ends.
    service.needsForeign("docker.service", "after");
    service.needs(runs, "wants");
    this.#piece = new ConvergePiece(this, "piece", {
      name: "drone-runner",
      description: "Converge the runner of Drone's builds",
      wants: [server, runs],
      watches: [server.rpcSecret.path],
      slots: { runner: program },
      resources: () => [
        { kind: "runner-secret", server: server.address, file: server.rpcSecret.path },
        {
          kind: "drained-service",
          unit: service.fullName,
          settings: this.#settings,
          program: { slot: "runner" },
          files: [server.rpcSecret.path],
          waitSeconds: startSeconds,
        },
      ],
    });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  /** What the daemon reads when it starts, but for the secret. */
  get #environment(): Readonly<Record<string, string>> {
    const { server, repository, runs } = this.#props;
    return {
      DRONE_HTTP_BIND: address,
      DRONE_LIMIT_EVENTS: "custom",
      DRONE_LIMIT_REPOS: repository.slug,
      DRONE_RPC_HOST: server.domain,
      DRONE_RPC_PROTO: "https",
      DRONE_RUNNER_CAPACITY: String(runs.maxTests),
      DRONE_RUNNER_NAME: this.#machine.name,
      DRONE_RUNNER_PATH: "/run/current-system/sw/bin",
      DRONE_RUNNER_ROOT: folder,
      DRONE_UI_DISABLE: "true",
    };
  }

  get #options(): NixAttributes {
    return {
      description: "Take builds from Drone",
      restartIfChanged: false,
      startLimitIntervalSec: 0,
      environment: this.#environment,
      serviceConfig: {
        ...this.#process(this.#settings),
        TimeoutStopSec: `${this.#props.runs.longestBuildSeconds}s`,
      },
    };
  }

  /** Of all that this construct says of a process; how long one may take to end, systemd looks up when it is to. */
  get #settings(): string {
    return digestOf(printNix([this.#environment, this.#process("")]))
      .replace("sha256:", "")
      .slice(0, settingsDigits);
  }

  #process(settings: string): NixAttributes {
    const { server, runs } = this.#props;
    // A pipe: what is read from it is gone, so that no build finds the secret, whose user is the same. Its
    // name says with which settings the daemon was started.
    const pipe = `${folder}/${settings}`;
    return {
      Type: "exec",
      User: runs.account,
      Group: runs.account,
      ExecStartPre: nixJoin([nixName("coreutils"), `/bin/mkfifo --mode=0600 ${pipe}`]),
      ExecStart: nixJoin([nixName("runner"), ` daemon ${pipe}`]),
      // As root, once the daemon waits at the other end of the pipe.
      ExecStartPost: nixJoin([
        "+",
        nixName("sed"),
        ` -n s/^/DRONE_RPC_SECRET=/w${pipe} ${server.rpcSecret.path}`,
      ]),
      Restart: "always",
      RestartSec: "5s",
      // How it ends when it was told to.
      SuccessExitStatus: [1],
      KillMode: "mixed",
      RuntimeDirectory: daemon,
      RuntimeDirectoryMode: "0700",
      UMask: "0077",
      // It asks a proxy that knows of no Drone again at once, with a line each time.
      LogRateLimitIntervalSec: "30s",
      LogRateLimitBurst: 100,
      // One build that takes too much is ended, and not its neighbours.
      OOMPolicy: "continue",
      MemoryMax: `${256 + 128 * runs.maxTests}M`,
      TasksMax: 128 + 64 * runs.maxTests,
      ...hardening,
    };
  }
}

/** It starts shells, which ask a socket of this host for a run. */
const hardening: NixAttributes = {
  ...confined,
  // Drone's server is reached by its proxy, on this host; a build has no business elsewhere.
  IPAddressAllow: "localhost",
  IPAddressDeny: "any",
  // Whose daemons do for anybody who asks what a unit may not: reach out, build, fill the disk.
  InaccessiblePaths: [
    ...["-/var/run/docker.sock", "-/run/docker.sock"],
    "-/nix/var/nix/daemon-socket",
  ],
  LimitCORE: 0,
};
