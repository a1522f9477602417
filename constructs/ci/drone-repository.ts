import { Construct } from "constructs";
import type { Resource, ResourceOf } from "../../services/converge/desired-state.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import type { DronePipeline } from "./drone-pipeline.ts";
import { type DroneServer, isDroneLogin, loginProblem } from "./drone-server.ts";
import { hostMadeFile } from "./host-made-file.ts";
import type { RunBoundary } from "./run-boundary.ts";

/** An account of the forge that Drone knows too. */
export interface DroneAccountProps {
  /** On the forge, and so in Drone. */
  readonly login: string;
  /** Absolute path of its password on the forge. @default a person logs in to Drone once */
  readonly password?: string | undefined;
}

export interface DroneRepositoryProps {
  readonly server: DroneServer;
  /** The CI repository on the forge, as in `ci/cc-ci`. */
  readonly repository: string;
  /** The branch whose pipeline builds have. @default main */
  readonly branch?: string;
  /** What every build does. */
  readonly pipeline: DronePipeline;
  /** What builds ask for. */
  readonly runs: RunBoundary;
  /** Who sees builds and their logs. @default public, for maintainers have no account in Drone */
  readonly visibility?: "public" | "internal" | "private";
  /** The account that has the repository in Drone: admin of it on the forge, and of nothing else. */
  readonly owner: DroneAccountProps & {
    /** Absolute path of a token of it on the forge, with the scope `write:repository`. */
    readonly forgeToken: string;
  };
  /** The account that starts builds: it may write to the repository, and nothing else. */
  readonly bridge: DroneAccountProps;
}

/** Login of the machine account that reads Drone's metrics. */
const metricsLogin = "cc-ci-metrics";

/** How long Drone may take to answer, in seconds: it may just be starting anew. */
const answerSeconds = 30;

/**
 * The CI repository in Drone, and the accounts that it takes: the owner and the repository in one unit, the
 * account of the bridge in another, so that a login that is owed for the one does not hold up the other.
 */
export class DroneRepository extends Construct implements HasUnit {
  /** The host file that holds the token of the account that starts builds. */
  readonly bridgeToken: HostFile;
  readonly server: DroneServer;
  /** Owner and name on the forge. */
  readonly slug: string;
  readonly branch: string;
  /** Who sees builds and their logs. */
  readonly visibility: NonNullable<DroneRepositoryProps["visibility"]>;
  /** The piece that makes the account which starts builds. */
  readonly starter: HasUnit;
  readonly #piece: ConvergePiece;
  readonly #props: DroneRepositoryProps;

  constructor(scope: Construct, id: string, props: DroneRepositoryProps) {
    super(scope, id);
    this.#props = props;
    const { server, owner, bridge } = props;
    this.server = server;
    this.slug = props.repository;
    this.branch = props.branch ?? "main";
    this.visibility = props.visibility ?? "public";
    Machine.link(this, server);
    const forgeToken = new HostFile(this, "forgeToken", {
      path: owner.forgeToken,
      pathProperty: "owner.forgeToken",
      purpose: `the token of ${owner.login} on ${server.forge}`,
      remedy: `make one there as ${owner.login} with the scope write:repository, and copy it (mode 0600)`,
      demand: { format: "token", minBytes: 16 },
    });
    const metricsToken = hostMadeFile(this, "drone-metrics-token", {
      randomBytes: 32,
      purpose: "the token of the account that reads Drone's metrics",
    });
    this.#piece = new ConvergePiece(this, "piece", {
      name: "drone-repository",
      description: `Converge ${props.repository} in Drone, and who owns it`,
      wants: [server],
      sources: [forgeToken, metricsToken, ...this.#passwordOf("owner", owner)],
      resources: () => [
        this.#account(owner.login, server.ownerToken, {
          role: "owner",
          secret: { stack: server.stack, name: server.ownerSecret },
          passwordFile: owner.password ?? null,
        }),
        this.#repository,
        this.#account(metricsLogin, metricsToken, {
          role: "metrics",
          ownerTokenFile: server.ownerToken.path,
        }),
      ],
    });
    this.bridgeToken = hostMadeFile(this, "drone-bridge-token", {
      randomBytes: 32,
      purpose: "the token of the account that starts builds in Drone",
    });
    this.starter = new ConvergePiece(this, "bridge", {
      name: "drone-bridge",
      description: "Converge the account that starts builds in Drone",
      wants: [this],
      sources: [this.bridgeToken, ...this.#passwordOf("bridge", bridge)],
      resources: () => [
        this.#account(bridge.login, this.bridgeToken, {
          role: "starter",
          ownerTokenFile: server.ownerToken.path,
          passwordFile: bridge.password ?? null,
        }),
      ],
    });
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  get #repository(): ResourceOf<"drone-repository"> {
    const { server, repository, owner, pipeline, runs } = this.#props;
    return {
      kind: "drone-repository",
      server: server.address,
      ownerTokenFile: server.ownerToken.path,
      forge: server.forge,
      forgeTokenFile: owner.forgeToken,
      repository,
      settings: {
        config_path: pipeline.path,
        // Later than a run ends by itself, teardown and a wait for its slot included.
        timeout: Math.ceil(runs.longestBuildSeconds / 60),
        visibility: this.visibility,
        // A trusted repository's pipeline may mount and do more than its runner's user.
        trusted: false,
        protected: false,
        ignore_forks: true,
        ignore_pull_requests: true,
      },
      waitSeconds: answerSeconds,
    };
  }

  #account(
    login: string,
    token: HostFile,
    account: ResourceOf<"drone-account">["account"],
  ): Resource {
    const { server, repository } = this.#props;
    return {
      kind: "drone-account",
      server: server.address,
      login,
      tokenFile: token.path,
      account,
      forge: server.forge,
      repository,
      waitSeconds: answerSeconds,
    };
  }

  #passwordOf(
    property: "owner" | "bridge",
    { login, password }: DroneAccountProps,
  ): readonly HostFile[] {
    if (password === undefined) return [];
    return [
      new HostFile(this, `${property}Password`, {
        path: password,
        pathProperty: `${property}.password`,
        purpose: `the password of ${login} on ${this.#props.server.forge}`,
        remedy:
          "put it there in one line (mode 0600), or take it out of cc-ci.yaml and log in by hand",
      }),
    ];
  }

  #validate(): string[] {
    const { repository, owner, bridge, server } = this.#props;
    const same = owner.login.toLowerCase() === bridge.login.toLowerCase();
    return [
      ...(/^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(repository)
        ? []
        : [
            `builds.repository: ${JSON.stringify(repository)} must be owner and name of a repository on the forge, as in ci/cc-ci`,
          ]),
      ...(owner.login === server.owner
        ? []
        : [
            `owner.login: must be ${JSON.stringify(server.owner)}, whom Drone's server makes an administrator`,
          ]),
      ...(isDroneLogin(bridge.login) ? [] : [`bridge.login: ${loginProblem(bridge.login)}`]),
      ...(/^[A-Za-z0-9_][A-Za-z0-9._/-]*$/.test(this.branch)
        ? []
        : [`builds.branch: ${JSON.stringify(this.branch)} is no name of a branch`]),
      ...(same
        ? [
            "bridge.login: must be another account than the owner's, which may do more than start builds",
          ]
        : []),
    ];
  }
}
