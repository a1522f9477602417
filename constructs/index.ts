/** What an operator builds a host of in TypeScript. */
export { CcCi } from "./app.ts";
export { Bridge, type BridgeProps } from "./ci/bridge.ts";
export { DronePipeline } from "./ci/drone-pipeline.ts";
export { DroneRepository, type DroneRepositoryProps } from "./ci/drone-repository.ts";
export { DroneRunner, type DroneRunnerProps } from "./ci/drone-runner.ts";
export { DroneServer, type DroneServerProps } from "./ci/drone-server.ts";
export { RunBoundary, type RunBoundaryProps } from "./ci/run-boundary.ts";
export { Abra } from "./coop-cloud/abra.ts";
export { Recipe } from "./coop-cloud/recipe.ts";
export { RecipeApp, type RecipeAppProps } from "./coop-cloud/recipe-app.ts";
export { TraefikRecipe, type TraefikRecipeProps } from "./coop-cloud/traefik-recipe.ts";
export { nixApply, nixName, nixPath, nixText } from "./core/nix.ts";
export { ConvergePiece, type ConvergePieceProps } from "./nixos/converge-piece.ts";
export { Host, type HostProps } from "./nixos/host.ts";
export { HostFile, type HostFileProps } from "./nixos/host-file.ts";
export { NixosModule, type NixosModuleProps } from "./nixos/nixos-module.ts";
export { SystemdUnit, type SystemdUnitProps } from "./nixos/systemd-unit.ts";
export {
  WildcardCertificate,
  type WildcardCertificateProps,
} from "./nixos/wildcard-certificate.ts";
export { DockerEngine, type DockerEngineProps } from "./swarm/docker-engine.ts";
export { DockerStack, type DockerStackProps } from "./swarm/docker-stack.ts";
export { OverlayNetwork, type OverlayNetworkProps } from "./swarm/overlay-network.ts";
export { Swarm, type SwarmProps } from "./swarm/swarm.ts";
export { SwarmSecret, type SwarmSecretProps } from "./swarm/swarm-secret.ts";
export { expectUnit, type UnitExpectation } from "./testing.ts";
