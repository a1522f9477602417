import type { Construct } from "constructs";
import { TemplateFile } from "../core/generated-file.ts";
import { Machine } from "../nixos/machine.ts";

/**
 * What a step runs: by its whole path, for the parameters of a build are its environment, PATH included. In the
 * place of the shell, the one process that Drone ends when it ends a step.
 */
const ask = "exec /run/current-system/sw/bin/cc-ci-run ask";

/** The pipeline of the CI repository, to which its setting in Drone points. */
export class DronePipeline extends TemplateFile {
  /** @param architecture of the runner's host, as Drone has it */
  constructor(scope: Construct, id: string, architecture: "amd64" | "arm64") {
    super(scope, id, {
      path: `${Machine.of(scope).folder}/drone.yml`,
      template: "ci/drone.yml",
      context: () => ({ architecture, command: ask }),
    });
  }
}
