import type { Resource } from "../../services/converge/desired-state.ts";

/** Time for starting the program and for the calls that have no bound of their own, in seconds. */
const marginSeconds = 60;

/**
 * The longest that a unit may take, in seconds: the bounds of its resources one after the other, as
 * often as it may go through them. A oneshot has no limit of its own, and one that hangs would block
 * `nixos-rebuild` for ever.
 * @param passes 2 where a file that changes during the run makes it start over.
 */
export function timeoutSeconds(resources: readonly Resource[], passes: 1 | 2): number {
  const pass = resources.reduce((sum, resource) => sum + boundSeconds(resource), 0);
  return marginSeconds + passes * pass;
}

/** The sum of the waits that a resource allows itself, in seconds. */
function boundSeconds(resource: Resource): number {
  switch (resource.kind) {
    case "swarm":
    case "network":
    case "served-certificate":
    case "retired":
    case "drained-service":
      return resource.waitSeconds;
    case "drone-account":
      // A login by twelve pages of 15 s each, a sync that is asked twice, a list that takes as long, and questions
      // that wait.
      return 2 * resource.waitSeconds + 400;
    case "drone-repository":
      // Silence at one of its questions ends the run.
      return 2 * resource.waitSeconds;
    case "runner-secret":
      // It is asked about twice.
      return 35;
    case "drone-builds":
      // One question for each build that goes on.
      return resource.waitSeconds + 120;
    case "checkout":
      return resource.fetchSeconds;
    case "stack":
      return resource.pullSeconds + resource.deploySeconds + resource.stableSeconds;
    case "docker-stack":
      return resource.loadSeconds + resource.deploySeconds + resource.stableSeconds;
    case "host-file":
      return resource.demand.format === "certificate-chain" ? resource.demand.pairSeconds : 0;
    case "secret":
    case "env":
      return 0;
  }
}
