import type { Resource } from "../desired-state.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { checkoutSteps } from "./checkout.ts";
import { dockerStackSteps } from "./docker-stack.ts";
import { drainedServiceSteps } from "./drained-service.ts";
import { droneAccountSteps } from "./drone-account.ts";
import { droneBuildsSteps } from "./drone-builds.ts";
import { droneRepositorySteps } from "./drone-repository.ts";
import { envSteps } from "./env.ts";
import { hostFileSteps } from "./host-file.ts";
import { networkSteps } from "./network.ts";
import { retiredSteps } from "./retired.ts";
import { runnerSecretSteps } from "./runner-secret.ts";
import { secretSteps } from "./secret.ts";
import { servedCertificateSteps } from "./served-certificate.ts";
import { stackSteps } from "./stack.ts";
import { swarmSteps } from "./swarm.ts";

/** What makes a resource true, by its kind. */
export function stepsOf(resource: Resource, context: Context): Steps {
  switch (resource.kind) {
    case "swarm":
      return swarmSteps(resource, context);
    case "network":
      return networkSteps(resource, context);
    case "host-file":
      return hostFileSteps(resource, context);
    case "secret":
      return secretSteps(resource, context);
    case "checkout":
      return checkoutSteps(resource, context);
    case "env":
      return envSteps(resource, context);
    case "stack":
      return stackSteps(resource, context);
    case "docker-stack":
      return dockerStackSteps(resource, context);
    case "served-certificate":
      return servedCertificateSteps(resource, context);
    case "retired":
      return retiredSteps(resource, context);
    case "drone-account":
      return droneAccountSteps(resource, context);
    case "drone-repository":
      return droneRepositorySteps(resource, context);
    case "drone-builds":
      return droneBuildsSteps(resource, context);
    case "runner-secret":
      return runnerSecretSteps(resource, context);
    case "drained-service":
      return drainedServiceSteps(resource, context);
  }
}
