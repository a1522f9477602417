import { Construct } from "constructs";
import { runnerUnit } from "../../services/lib/run.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { Machine } from "../nixos/machine.ts";
import type { DroneRepository } from "./drone-repository.ts";
import type { DroneRunner } from "./drone-runner.ts";
import type { DroneServer } from "./drone-server.ts";

export interface DroneWatchdogProps {
  readonly server: DroneServer;
  readonly repository: DroneRepository;
  /** Who works on builds. */
  readonly runner: DroneRunner;
}

/**
 * How long a build and its runner, or a run and its build, may disagree, in seconds: the runner is told of a
 * cancelled build within some, and asks again after ten where Drone did not answer.
 */
const graceSeconds = 60;

/** A piece that ends, each minute, builds that nobody works on, and runs that no build waits for. */
export class DroneWatchdog extends Construct {
  constructor(scope: Construct, id: string, { server, repository, runner }: DroneWatchdogProps) {
    super(scope, id);
    new ConvergePiece(this, "piece", {
      name: "drone-builds",
      description: "End builds of Drone that nobody works on",
      // What it wanted would be started each time, and all that that wants.
      after: [runner, repository],
      againAfter: "1min",
      resources: () => [
        {
          kind: "drone-builds",
          server: server.address,
          ownerTokenFile: server.ownerToken.path,
          forge: server.forge,
          repository: repository.slug,
          runner: { unit: runnerUnit, name: Machine.of(this).name },
          graceSeconds,
          waitSeconds: 0,
        },
      ],
    });
  }
}
