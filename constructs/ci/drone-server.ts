import type { Construct } from "constructs";
import type { Recipe } from "../coop-cloud/recipe.ts";
import { type DeployBounds, overlayVariable, RecipeStack } from "../coop-cloud/recipe-stack.ts";
import type { TraefikRecipe } from "../coop-cloud/traefik-recipe.ts";
import { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { type HostMadeFileProps, hostMadeFile } from "./host-made-file.ts";

export interface DroneServerProps extends DeployBounds {
  /** The recipe at its state, as in `Recipe.release("drone", "1.9.0")`. */
  readonly recipe: Recipe;
  /** The proxy in front of it. */
  readonly proxy: TraefikRecipe;
  /** Where Drone answers. @default `drone.` and the host's domain */
  readonly domain?: string;
  /** The forge, a Gitea: its address without a path, as in `https://git.example.org`. */
  readonly forge: string;
  /** The OAuth client that Drone is on the forge. Public. */
  readonly clientId: string;
  /** Absolute path of the host file that holds its secret. */
  readonly clientSecret: string;
  /** Login of the account on the forge that owns the CI repository in Drone. */
  readonly owner: string;
  /** Further variables of the recipe's `.env`. No secrets. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/** What an operator has to accept, though the server comes as an image: its licence is not free. */
const unfreePackages = ["drone", "drone-runner-exec"] as const;

/** Files that are laid over the recipe's, by their names there. */
const overlayFiles = { compose: "compose.ccci.yml", env: "ccci.env.tmpl" } as const;

/** Where the server reads its variables. */
const envFile = "/etc/cc-ci/drone.env";

/** By what Drone keeps the logins of its accounts; with another one it does not start. */
const databaseKey = "database_secret";

/** Secrets that the recipe has none for; the variables that carry their versions are our own. */
const ownSecrets = {
  /** AES-256: Drone takes 32 bytes, no more and no less. */
  [databaseKey]: {
    randomBytes: 16,
    purpose: "the key of what Drone keeps encrypted",
    remedy:
      "put back the one that Drone's database was made with; without it, remove it and the database too, as docs/runbook.md says",
  },
  cookie_secret: { randomBytes: 32, purpose: "the key of Drone's session cookies" },
  admin_token: { randomBytes: 32, purpose: "the token of Drone's owner account" },
} as const;

/**
 * Drone's server, by the recipe of that name with its overlay for Gitea. What the recipe has no place
 * for that nobody sees (cookie and database keys, the account that it starts with) stands in a file that
 * Docker makes of swarm secrets, through an overlay of ours; so it is deployed as its files lie there.
 */
export class DroneServer extends RecipeStack {
  /** The forge's address. */
  readonly forge: string;
  /** Login of the account that owns the CI repository. */
  readonly owner: string;
  /** Name of the secret that the server starts with the owner's token by. */
  readonly ownerSecret = "admin_token";
  readonly #clientId: string;

  constructor(scope: Construct, id: string, props: DroneServerProps) {
    const { recipe, proxy, forge, clientId, clientSecret, owner, env = {} } = props;
    const machine = Machine.of(scope);
    const domain = props.domain ?? `drone.${machine.domain}`;
    super(scope, id, {
      recipe,
      domain,
      network: proxy.network,
      certificate: proxy.certificate,
      piece: "drone",
      description: "Converge Drone's server",
      // Answers as soon as the server listens, and says nothing of anything behind it.
      page: "/healthz",
      composeFiles: ["compose.yml", "compose.gitea.yml", overlayFiles.compose],
      overlay: [
        {
          file: overlayFiles.compose,
          template: "ci/drone-overlay.yml",
          context: () => ({
            envFile,
            envSource: overlayFiles.env,
            environment: Object.entries(settingsOf(domain)).map(([name, value]) => ({
              setting: `${name}=${value}`,
            })),
            configName: `${variable("STACK_NAME")}_ccci_env_${variable(overlayVariable)}`,
            secrets: ["rpc_secret", "client_secret", ...Object.keys(ownSecrets)].map((name) => ({
              name,
            })),
            ownSecrets: Object.keys(ownSecrets).map((name) => ({
              name,
              swarmName: `${variable("STACK_NAME")}_${name}_${variable(versionVariable(name))}`,
            })),
          }),
        },
        {
          file: overlayFiles.env,
          // Without quotes: a secret that ends with a newline would leave a line with one of them, for which
          // Drone would ignore the whole file.
          template: "ci/drone.env",
          context: () => ({ variables: secretVariables(owner) }),
        },
      ],
      env: { ...env, DRONE_GITEA_SERVER: forge, DRONE_GITEA_CLIENT_ID: clientId },
      secrets: (stack) => [
        {
          name: "rpc_secret",
          file: hostMadeFile(stack, "drone-rpc-secret", {
            randomBytes: 32,
            purpose: "the secret that Drone's runner shows to its server",
          }),
        },
        {
          name: "client_secret",
          file: new HostFile(stack, "clientSecret", {
            path: clientSecret,
            pathProperty: "clientSecret",
            purpose: `the secret of Drone's OAuth client on ${forge}`,
            remedy:
              "make the client on the forge as docs/install.md says, and copy the secret that it shows once (mode 0600)",
            demand: { format: "token", minBytes: 16 },
          }),
        },
        ...Object.entries<HostMadeFileProps>(ownSecrets).map(([name, props]) => ({
          name,
          versionVariable: versionVariable(name),
          file: hostMadeFile(stack, `drone-${name.replaceAll("_", "-")}`, {
            ...props,
            ...(name === databaseKey ? { opens: stack.stack } : {}),
          }),
        })),
      ],
      sources: [],
      wants: [proxy],
      bounds: { pullSeconds: props.pullSeconds, deploySeconds: props.deploySeconds },
    });
    this.forge = forge;
    this.owner = owner;
    this.#clientId = clientId;
    new NixosModule(this, "name", {
      name: "drone-name",
      template: "ci/drone-name.nix",
      context: () => ({ names: [this.domain] }),
    });
    this.node.addValidation({ validate: () => this.#validate(machine, Object.keys(env)) });
  }

  /** Where it answers. */
  get address(): string {
    return `https://${this.domain}`;
  }

  /** The host file that holds the token of the owner's account. */
  get ownerToken(): HostFile {
    return this.#fileOf(this.ownerSecret);
  }

  /** The host file that holds what the runner shows to the server. */
  get rpcSecret(): HostFile {
    return this.#fileOf("rpc_secret");
  }

  #fileOf(secret: string): HostFile {
    const found = this.secrets.find(({ name }) => name === secret);
    if (found === undefined) throw new Error(`${this.node.path}: has no secret ${secret}`);
    return found.file;
  }

  #validate(machine: Machine, variables: readonly string[]): string[] {
    const refused = unfreePackages.filter((name) => !machine.acceptUnfree.includes(name));
    return [
      ...(refused.length === 0
        ? []
        : [
            `needs ${refused.join(" and ")} in acceptUnfree: Drone's licence is not a free one, and its free edition serves no runner; read docs/install.md, and name them if you accept it`,
          ]),
      ...(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(this.forge) && URL.canParse(this.forge)
        ? []
        : [
            `forge: ${JSON.stringify(this.forge)} must be the https address of a Gitea without a path, as in https://git.example.org`,
          ]),
      ...(/^[A-Za-z0-9-]{1,64}$/.test(this.#clientId)
        ? []
        : [
            "clientId: must be the id that the forge shows for the OAuth client, of letters, digits and dashes",
          ]),
      ...(isDroneLogin(this.owner) ? [] : [`owner: ${loginProblem(this.owner)}`]),
      ...variables
        .filter((name) => name.startsWith("DRONE_"))
        .map((name) => `env: ${name} cannot be set here: Drone's own settings are the construct's`),
    ];
  }
}

/** What Drone takes for a login, which is less than what forges do. */
export function isDroneLogin(login: string): boolean {
  return /^[A-Za-z0-9_][.A-Za-z0-9_-]{0,49}$/.test(login);
}

/** For a login that is none. */
export function loginProblem(login: string): string {
  return `${JSON.stringify(login)} is no login that Drone takes: up to 50 letters, digits, dots, dashes and underscores`;
}

/** What only the server may see; `secret` is Docker's, when it makes the file. */
function secretVariables(owner: string) {
  const secret = (name: string): string => `{{ secret "${name}" }}`;
  const variables: Readonly<Record<string, string>> = {
    DRONE_RPC_SECRET: secret("rpc_secret"),
    DRONE_GITEA_CLIENT_SECRET: secret("client_secret"),
    DRONE_COOKIE_SECRET: secret("cookie_secret"),
    DRONE_DATABASE_SECRET: secret("database_secret"),
    DRONE_USER_CREATE: `username:${owner},machine:false,admin:true,token:${secret("admin_token")}`,
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

/**
 * How Drone works on every host. Builds that nobody works on it ends by itself: one that runs a minute after
 * the timeout of its repository, the number that matters; one that waits after a day, longer than any queue.
 */
const settingsOf = (domain: string): Readonly<Record<string, string>> => ({
  DRONE_SERVER_HOST: domain,
  DRONE_SERVER_PROTO: "https",
  // The forge's token of each account, which has all rights of it.
  DRONE_DATABASE_ENCRYPT_USER_TABLE: "true",
  DRONE_REGISTRATION_CLOSED: "true",
  DRONE_CRON_DISABLED: "true",
  DRONE_STATUS_DISABLED: "true",
  // Telemetry, which the public image turns on.
  DRONE_DATADOG_ENABLED: "false",
  // Either would print the owner's token at each start.
  DRONE_LOGS_DEBUG: "false",
  DRONE_LOGS_TRACE: "false",
  DRONE_CLEANUP_INTERVAL: "1m",
  DRONE_CLEANUP_BUFFER: "1m",
  DRONE_CLEANUP_DEADLINE_RUNNING: "1m",
  DRONE_CLEANUP_DEADLINE_PENDING: "24h",
});

function versionVariable(secret: string): string {
  return `CCCI_${secret.toUpperCase()}_VERSION`;
}

/** As compose files ask for it. */
function variable(name: string): string {
  return `$\{${name}}`;
}
