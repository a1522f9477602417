import { dirname } from "node:path/posix";
import { Construct } from "constructs";
import {
  type BridgeSettings,
  bridgePlaces,
  bridgeSettingsSchema,
  bridgeSettingsVersion,
} from "../../services/lib/bridge-settings.ts";
import { servedAt } from "../coop-cloud/recipe-stack.ts";
import type { TraefikRecipe } from "../coop-cloud/traefik-recipe.ts";
import { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { isHostName } from "../nixos/names.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import { DockerStack } from "../swarm/docker-stack.ts";
import type { BridgeOptions } from "./bridge-options.ts";
import { bridgeProblems } from "./bridge-problems.ts";
import type { DroneRepository } from "./drone-repository.ts";
import { hostMadeFile } from "./host-made-file.ts";
import { type GivenFile, ownFileProblems } from "./own-files.ts";
import type { RunBoundary } from "./run-boundary.ts";

export interface BridgeProps extends BridgeOptions {
  /** The CI repository in Drone, with the account that starts builds. */
  readonly repository: DroneRepository;
  /** What builds ask for. */
  readonly runs: RunBoundary;
  /** The proxy in front of it. */
  readonly proxy: TraefikRecipe;
  /** Where it answers. @default `bridge.` and the host's domain */
  readonly domain?: string | undefined;
}

const defaultPollSeconds = 15;
const defaultLimits = { perPersonAndHour: 10, perPullAndHour: 6, waiting: 20 } as const;

/**
 * Between two looks that go back further, in seconds: a minute less than the 15 minutes after which the bridge answers
 * a comment as late, so that what a hook lost just after one look is not late at the next.
 */
const sweepSeconds = 840;

/** How long Drone may answer a start after which there may still come a build, in seconds: it waits 45 for a file. */
const answerSeconds = 75;

/** Between two looks at builds, in seconds. */
const lookSeconds = 10;

/** How much earlier than Drone the bridge ends a build, in seconds: so it can say why. */
const aheadSeconds = 60;

/** How long a build may wait for its turn, in seconds: a full queue of long tests, and less than Drone lets it. */
const queueSeconds = 12 * 60 * 60;

/** In its container: what the proxy may lead to, and what it may not. */
const ports = { port: 8080, metricsPort: 9090 } as const;

/** Of a delivery, in bytes: as much as the bridge takes, all of it in the proxy's memory. */
const mostBodyBytes = 1024 * 1024;

/**
 * The same at any domain: the volume is called after the stack, and another one would know nothing of the tests that
 * go on. abra calls a stack after a domain, which has an underscore for each dot, so no app can have this name.
 */
const stackName = "cc-ci-bridge";

/** The authorities that the host trusts beside those that Node knows. */
const authorities = "/etc/ssl/certs/ca-certificates.crt";

/**
 * The bridge: has Drone build when a member of the organisation asks for a test on a pull request, and answers there.
 * A stack of our own behind the proxy, where nothing but the answer to a hook needs to be reached.
 */
export class Bridge extends Construct implements HasUnit {
  readonly domain: string;
  readonly #props: BridgeProps;
  readonly #stack: DockerStack;

  constructor(scope: Construct, id: string, props: BridgeProps) {
    super(scope, id);
    this.#props = props;
    const { repository, proxy } = props;
    const machine = Machine.of(this);
    this.domain = props.domain ?? `bridge.${machine.domain}`;
    for (const other of [repository, proxy]) Machine.link(this, other);
    machine.claims.take("the domain", this.domain, this, "domain");
    this.#stack = new DockerStack(this, "stack", {
      stack: stackName,
      piece: "bridge",
      description: "Converge the bridge between pull requests and Drone",
      network: proxy.network,
      image: "bridge",
      template: "ci/bridge.yml",
      context: () => ({
        settingsPlace: bridgePlaces.settings,
        dataPlace: dirname(bridgePlaces.database),
        mounts: [
          { from: statePath(stateFolders.runs), to: bridgePlaces.runs },
          { from: statePath(stateFolders.bridge), to: bridgePlaces.control },
          { from: authorities, to: authorities },
        ],
        labels: this.#labels.map((setting) => ({ setting })),
      }),
      settings: { name: "settings", content: () => this.settings },
      secrets: this.#secrets(),
      folders: [stateFolders.runs, stateFolders.bridge],
      files: [authorities],
      wants: [proxy, repository.starter],
      after: [servedAt(this.domain, "/")],
    });
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#stack.unit;
  }

  /** What the bridge reads when it starts, checked against the schema that both halves share. */
  get settings(): BridgeSettings {
    const { repository, runs, organisation, repositories } = this.#props;
    const { limits = {}, team, only = [], ignore = [], forks, mode = "poll" } = this.#props;
    return bridgeSettingsSchema.parse({
      version: bridgeSettingsVersion,
      listen: ports,
      mode,
      forge: {
        server: repository.server.forge,
        organisation,
        team: team ?? null,
        ...{ only: [...only], ignore: [...ignore] },
      },
      recipes: [...repositories]
        .sort()
        .map((recipe) => ({ recipe, repository: `${organisation}/${recipe}` })),
      forks,
      drone: {
        server: repository.server.address,
        repository: repository.slug,
        branch: repository.branch,
        ...{ answerSeconds, lookSeconds },
      },
      dashboard: this.#props.dashboard ?? null,
      isLogPublic: repository.visibility === "public",
      pollSeconds: this.#props.pollSeconds ?? defaultPollSeconds,
      sweepSeconds,
      limits: {
        perPersonAndHour: limits.perPersonAndHour ?? defaultLimits.perPersonAndHour,
        perPullAndHour: limits.perPullAndHour ?? defaultLimits.perPullAndHour,
        waiting: limits.waiting ?? defaultLimits.waiting,
      },
      buildSeconds: runs.longestBuildSeconds - aheadSeconds,
      queueSeconds,
    });
  }

  get #labels(): readonly string[] {
    const router = `traefik.http.routers.${stackName}`;
    const buffering = `traefik.http.middlewares.${stackName}.buffering`;
    return [
      "traefik.enable=true",
      `traefik.http.services.${stackName}.loadbalancer.server.port=${ports.port}`,
      `${router}.rule=Host(\`${this.domain}\`)`,
      `${router}.entrypoints=web-secure`,
      `${router}.tls=true`,
      // The proxy has a body whole before it asks the bridge, which has few connections: else some who send slowly,
      // and need no key for that, would hold all of them.
      `${router}.middlewares=${stackName}`,
      `${buffering}.maxRequestBodyBytes=${mostBodyBytes}`,
      `${buffering}.memRequestBodyBytes=${mostBodyBytes}`,
    ];
  }

  #secrets(): Readonly<Record<string, HostFile>> {
    const { repository, forgeToken, mode, webhookKey, previousWebhookKey } = this.#props;
    const token = new HostFile(this, "forgeToken", {
      path: forgeToken,
      pathProperty: "forgeToken",
      purpose: `the token of the bridge's account on ${repository.server.forge}`,
      remedy:
        "make one there as that account with the scopes write:issue, read:repository, read:organization and read:user, and copy it (mode 0600)",
      demand: { format: "token", minBytes: 16 },
    });
    const droneToken = new HostFile(this, "droneToken", {
      path: repository.bridgeToken.path,
      purpose: "the token of the account that starts builds in Drone",
      // Two units must not make the same file.
      remedy: `${repository.starter.unit.fullName} makes it: see 'systemctl status ${repository.starter.unit.fullName}'`,
      demand: { format: "token", minBytes: 16 },
    });
    const always = { forge_token: token, drone_token: droneToken };
    if (mode !== "webhook") return always;
    return {
      ...always,
      webhook_key:
        webhookKey === undefined
          ? hostMadeFile(this, "bridge-webhook-key", {
              randomBytes: 32,
              purpose: "the key that deliveries of the forge's hook are signed with",
            })
          : this.#keyFile("webhookKey", webhookKey),
      ...(previousWebhookKey === undefined
        ? {}
        : { previous_webhook_key: this.#keyFile("previousWebhookKey", previousWebhookKey) }),
    };
  }

  /** Its files whose paths were given. */
  get #given(): readonly GivenFile[] {
    return ["forgeToken", "webhookKey", "previousWebhookKey"].flatMap((property) => {
      const file = this.node.tryFindChild(property);
      return file instanceof HostFile ? [{ property, file }] : [];
    });
  }

  #keyFile(property: "webhookKey" | "previousWebhookKey", path: string): HostFile {
    return new HostFile(this, property, {
      path,
      pathProperty: property,
      purpose: "the key that deliveries of the forge's hook are signed with",
      remedy: "put it there in one line (mode 0600), the same that the hook on the forge has",
      demand: { format: "token", minBytes: 16 },
    });
  }

  #validate(): string[] {
    const { certificate } = this.#props.proxy;
    return [
      ...(isHostName(this.domain) && certificate.covers(this.domain)
        ? []
        : [
            `domain: ${JSON.stringify(this.domain)} must be one label under the wildcard ${certificate.wildcard}`,
          ]),
      ...bridgeProblems(this.#props),
      ...ownFileProblems(this.#given, filesOf(Machine.of(this))),
    ];
  }
}

function filesOf(machine: Machine): readonly HostFile[] {
  return machine.node.findAll().filter((each) => each instanceof HostFile);
}
