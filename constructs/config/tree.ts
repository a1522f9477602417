import { Construct, type IConstruct } from "constructs";
import { CcCi } from "../app.ts";
import { Bridge } from "../ci/bridge.ts";
import { DronePipeline } from "../ci/drone-pipeline.ts";
import { DroneRepository } from "../ci/drone-repository.ts";
import { DroneRunner } from "../ci/drone-runner.ts";
import { DroneServer } from "../ci/drone-server.ts";
import { DroneWatchdog } from "../ci/drone-watchdog.ts";
import { RunBoundary } from "../ci/run-boundary.ts";
import { Recipe } from "../coop-cloud/recipe.ts";
import { RecipeApp } from "../coop-cloud/recipe-app.ts";
import { TraefikRecipe } from "../coop-cloud/traefik-recipe.ts";
import type { Problem } from "../core/errors.ts";
import { Host } from "../nixos/host.ts";
import { WildcardCertificate } from "../nixos/wildcard-certificate.ts";
import { DockerEngine } from "../swarm/docker-engine.ts";
import { OverlayNetwork } from "../swarm/overlay-network.ts";
import { Swarm } from "../swarm/swarm.ts";
import { type ConfigFile, type Origin, relocate } from "./file.ts";
import type { HostConfig } from "./schema.ts";

/** A tree, and where in the configuration its constructs come from. */
export interface ConfiguredApp {
  readonly app: CcCi;
  /** Problems of constructs as problems of the values in the file that they were made of. */
  readonly relocate: (problems: readonly Problem[]) => readonly Problem[];
}

/** The tree that a configuration describes. */
export function configuredApp(file: ConfigFile): ConfiguredApp {
  const app = new CcCi();
  const origins = new Map<string, Origin>();
  for (const [name, config] of byName(file.config.hosts)) {
    addHost(app, name, config, (construct, path, part = "mapping") => {
      origins.set(construct.node.path, { path: ["hosts", name, ...path], part });
    });
  }
  return { app, relocate: (problems) => relocate(problems, origins, file) };
}

/** Notes which part of the host's configuration a construct was made of. */
type Remember = (construct: IConstruct, path: readonly string[], part?: Origin["part"]) => void;

function addHost(app: CcCi, name: string, config: HostConfig, remember: Remember): void {
  const host = new Host(app, name, {
    domain: config.domain,
    acceptUnfree: config.acceptUnfree ?? [],
  });
  remember(host, []);
  const engine = new DockerEngine(host, "docker", config.docker);
  remember(engine, ["docker"]);
  if (engine.registryCredentials !== undefined) {
    remember(engine.registryCredentials, ["docker", "registryCredentials"], "value");
  }
  const runs = runsOf(host, engine, config);
  if (runs !== undefined) remember(runs, ["runs"]);
  const { proxySubnet, ...swarmConfig } = config.swarm ?? {};
  const swarm = new Swarm(host, "swarm", { engine, ...swarmConfig });
  remember(swarm, ["swarm"]);
  const network = new OverlayNetwork(swarm, "proxy", { subnet: proxySubnet });
  remember(network, ["swarm", "proxySubnet"], "value");
  const certificate = new WildcardCertificate(host, "certificate", config.certificate);
  remember(certificate, ["certificate"]);
  const proxy = new TraefikRecipe(host, "traefik", {
    ...config.traefik,
    recipe: recipeOf("traefik", config.traefik),
    network,
    certificate,
  });
  remember(proxy, ["traefik"]);
  if (config.drone !== undefined && runs !== undefined) {
    const repository = addDrone(host, { proxy, runs, config: config.drone }, remember);
    if (config.bridge !== undefined) {
      remember(new Bridge(host, "bridge", { ...config.bridge, repository, runs, proxy }), [
        "bridge",
      ]);
    }
  } else if (config.bridge !== undefined) {
    host.node.addValidation({
      validate: () => [
        "bridge: needs drone on the same host, which builds what it is asked for: docs/install.md has how, in step 5",
      ],
    });
  }
  const apps = new Construct(host, "apps");
  for (const [id, app] of byName(config.apps ?? {})) {
    const { recipe, ...state } = app;
    const stack = new RecipeApp(apps, id, { ...state, recipe: recipeOf(recipe, state), proxy });
    remember(stack, ["apps", id]);
    for (const { name, secret, file } of stack.secrets) {
      remember(secret, ["apps", id, "secrets", name], "value");
      remember(file, ["apps", id, "secrets", name], "value");
    }
  }
}

/** What takes runs, where there is anybody to ask for one. */
function runsOf(
  host: Host,
  { service }: DockerEngine,
  { runs, drone }: HostConfig,
): RunBoundary | undefined {
  if (runs === undefined && drone === undefined) return undefined;
  return new RunBoundary(host, "runs", { service, ...runs });
}

function addDrone(
  host: Host,
  parts: {
    readonly proxy: TraefikRecipe;
    readonly runs: RunBoundary;
    readonly config: NonNullable<HostConfig["drone"]>;
  },
  remember: Remember,
): DroneRepository {
  const { proxy, runs } = parts;
  const { owner, builds, bridge, architecture, ...state } = parts.config;
  const server = new DroneServer(host, "drone", {
    ...state,
    recipe: recipeOf("drone", state),
    proxy,
    owner: owner.login,
  });
  remember(server, ["drone"]);
  const repository = new DroneRepository(host, "drone-repository", {
    ...{ ...builds, server, runs, owner, bridge },
    pipeline: new DronePipeline(host, "drone-pipeline", architecture ?? "amd64"),
  });
  remember(repository, ["drone"]);
  const runner = new DroneRunner(host, "drone-runner", { server, repository, runs });
  remember(runner, ["drone"]);
  new DroneWatchdog(host, "drone-builds", { server, repository, runner });
  return repository;
}

/** The members sorted, so that their order in the file is nothing that files are made of. */
function byName<Value>(members: Readonly<Record<string, Value>>): readonly [string, Value][] {
  return Object.entries(members).sort(([left], [right]) => (left < right ? -1 : 1));
}

function recipeOf(
  name: string,
  state: {
    release?: string | undefined;
    commit?: string | undefined;
    repository?: string | undefined;
  },
): Recipe {
  const { release, commit, repository } = state;
  return release === undefined
    ? Recipe.commit(name, commit ?? "", repository)
    : Recipe.release(name, release, repository, commit);
}
