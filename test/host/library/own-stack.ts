import { randomBytes } from "node:crypto";
import { CcCi } from "../../../constructs/app.ts";
import { hostMadeFile } from "../../../constructs/ci/host-made-file.ts";
import { Recipe } from "../../../constructs/coop-cloud/recipe.ts";
import { TraefikRecipe } from "../../../constructs/coop-cloud/traefik-recipe.ts";
import { Host as HostConstruct } from "../../../constructs/nixos/host.ts";
import { HostFile } from "../../../constructs/nixos/host-file.ts";
import { WildcardCertificate } from "../../../constructs/nixos/wildcard-certificate.ts";
import { DockerEngine } from "../../../constructs/swarm/docker-engine.ts";
import { DockerStack } from "../../../constructs/swarm/docker-stack.ts";
import { OverlayNetwork } from "../../../constructs/swarm/overlay-network.ts";
import { Swarm } from "../../../constructs/swarm/swarm.ts";
import { type BridgeSettings, bridgePlaces } from "../../../services/lib/bridge-settings.ts";
import { installBridgeLoader } from "../bridge/install.ts";
import { repositoryUrl } from "../git-server/install.ts";
import { certificateFolder, type Host } from "../host.ts";
import type { Configuration } from "../system/system.ts";
import { startsNothing } from "./kill-everywhere.ts";

/** The stack, and where the host has the token that it is made of. */
export const ownStack = { stack: "own", piece: "own", token: "/var/lib/ci-secrets/own-token" };

/**
 * A host with the program of the bridge as a stack of our own, and neither forge nor Drone: how it is deployed is no
 * matter of either. Nothing starts by itself.
 *
 * @param tag of its image. @param seconds a setting of it
 */
export function withOwnStack(tag: string, seconds: number): Configuration {
  const app = new CcCi();
  const host = new HostConstruct(app, "cc-ci", { domain: "ci.example.org" });
  const swarm = new Swarm(host, "swarm", { engine: new DockerEngine(host, "docker") });
  const network = new OverlayNetwork(swarm, "proxy", {});
  const certificate = new WildcardCertificate(host, "certificate", {
    certificate: `${certificateFolder}/fullchain.pem`,
    key: `${certificateFolder}/privkey.pem`,
  });
  new TraefikRecipe(host, "traefik", {
    recipe: Recipe.release("traefik", "5.1.1", repositoryUrl("traefik")),
    ...{ network, certificate },
  });
  new DockerStack(host, "own", {
    ...ownStack,
    description: "Converge a stack of our own",
    network,
    image: "bridge",
    template: "ci/bridge.yml",
    context: () => ({
      settingsPlace: bridgePlaces.settings,
      ...{ dataPlace: "/data", mounts: [], labels: [{ setting: "traefik.enable=false" }] },
    }),
    settings: { name: "settings", content: () => settingsWith(seconds) },
    secrets: {
      forge_token: new HostFile(host, "token", {
        ...{ path: ownStack.token, purpose: "a token", remedy: "put it there" },
      }),
      webhook_key: hostMadeFile(host, "own-key", { randomBytes: 32, purpose: "a key" }),
    },
    ...{ folders: [], files: ["/etc/hosts"], wants: [] },
  });
  const quiet = startsNothing(app);
  const image = `{ cc-ci.images.bridge.reference = "cc-ci.invalid/bridge:${tag}"; }`;
  return { app, modules: [...(quiet.modules ?? []), image] };
}

/** What it is deployed from, below the root of a host that is not booted yet. */
export function putOwnStack(root: string, host: Host): void {
  installBridgeLoader(root);
  host.write(ownStack.token, randomBytes(20).toString("hex"), 0o600);
}

function settingsWith(pollSeconds: number): BridgeSettings {
  return {
    ...{ version: 1, listen: { port: 8080, metricsPort: 9090 }, mode: "poll" },
    forge: {
      ...{ server: "https://forge.example.org", organisation: "recipes", team: null },
      ...{ only: [], ignore: [] },
    },
    ...{ recipes: [], forks: "refused" },
    drone: {
      ...{ server: "https://drone.ci.example.org", repository: "ci/cc-ci", branch: "main" },
      ...{ answerSeconds: 75, lookSeconds: 10 },
    },
    ...{ dashboard: null, isLogPublic: true, pollSeconds, sweepSeconds: 900 },
    limits: { perPersonAndHour: 1, perPullAndHour: 1, waiting: 1 },
    ...{ buildSeconds: 60, queueSeconds: 60 },
  };
}
