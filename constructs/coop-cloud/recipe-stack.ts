import { Construct } from "constructs";
import {
  nameLimits,
  type Resource,
  type ResourceOf,
} from "../../services/converge/desired-state.ts";
import { envValue, isEnvName } from "../core/env-text.ts";
import { ValueError } from "../core/errors.ts";
import { TemplateFile } from "../core/generated-file.ts";
import { nixJoin, nixName, nixPath } from "../core/nix.ts";
import type { TemplateContext } from "../core/template.ts";
import { ConvergePiece } from "../nixos/converge-piece.ts";
import type { HostFile } from "../nixos/host-file.ts";
import { Machine } from "../nixos/machine.ts";
import { isHostName } from "../nixos/names.ts";
import type { ResourceSource } from "../nixos/resource-source.ts";
import { slotsInText, textSlot } from "../nixos/slots.ts";
import { stateFolders } from "../nixos/state-folders.ts";
import type { HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";
import type { WildcardCertificate } from "../nixos/wildcard-certificate.ts";
import type { OverlayNetwork } from "../swarm/overlay-network.ts";
import { retiredResource } from "../swarm/retired-pieces.ts";
import { SwarmSecret } from "../swarm/swarm-secret.ts";
import { Abra } from "./abra.ts";
import type { Recipe } from "./recipe.ts";

/** A secret of the recipe, as the recipe spells it. */
interface RecipeSecret {
  /** Name in the compose files, as in `ssl_cert`. */
  readonly name: string;
  /**
   * Variable of the `.env` that carries the version, as in `SECRET_WILDCARD_CERT_VERSION`.
   * @default the host reads it from the recipe's compose files
   */
  readonly versionVariable?: string;
  readonly file: HostFile;
  /** A file whose bytes make the version. @default name and content of the secret */
  readonly versionOf?: HostFile;
}

/** A secret of the recipe with what was made for it. */
export interface StackSecret {
  readonly name: string;
  readonly file: HostFile;
  /** Variable of the `.env` that carries the version; undefined where the host reads its name. */
  readonly variable: string | undefined;
  readonly secret: SwarmSecret;
}

/** A file of ours that is laid over those of the recipe, which then is deployed as it lies there. */
interface OverlayFile {
  /** Its name among the recipe's. */
  readonly file: string;
  /** Path below `templates/`. */
  readonly template: string;
  readonly context: () => TemplateContext;
}

/** What a deploy may take; slow recipes need more. */
export interface DeployBounds {
  /** For pulling the images, in seconds. @default 900 */
  readonly pullSeconds?: number | undefined;
  /** Until all tasks are healthy, in seconds. @default 300 */
  readonly deploySeconds?: number | undefined;
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

export interface RecipeStackProps {
  readonly recipe: Recipe;
  /** Where it is served; one label under the wildcard. */
  readonly domain: string;
  /** The network that the proxy reaches it through. */
  readonly network: OverlayNetwork;
  /** What it is served with. */
  readonly certificate: WildcardCertificate;
  /** Name of the piece. */
  readonly piece: string;
  readonly description: string;
  /** Compose files of the recipe, in the order in which they are merged. */
  readonly composeFiles: readonly string[];
  /** Variables of the `.env` beside those that every app has. */
  readonly env: Readonly<Record<string, string>>;
  /** Path of a page that it must answer itself; `false` where the certificate is all that is looked at. */
  readonly page: string | false;
  /** Files of ours laid over the recipe's; their version is the variable `CCCI_VERSION`. @default none */
  readonly overlay?: readonly OverlayFile[];
  /** Secrets of the recipe; what they need is put below the stack. */
  readonly secrets: (stack: RecipeStack) => readonly RecipeSecret[];
  /** Whose resources come before its own. */
  readonly sources: readonly ResourceSource[];
  /** Pieces that should be there first, beside the network. */
  readonly wants: readonly HasUnit[];
  readonly bounds: DeployBounds;
}

/** How long images may take to be pulled, in seconds: a slow link and a rate limit that passes. */
const defaultPullSeconds = 900;

/** How long a deploy may take until all tasks are healthy; abra's own default too, in seconds. */
const defaultDeploySeconds = 300;

/** How long a task must have run to count as stable: Docker's own monitor time, in seconds. */
const stableSeconds = 5;

/** How long a fetch of the recipe may take, in seconds. */
const fetchSeconds = 120;

/** How long after the deploy the proxy may take to serve it, in seconds. */
const serveSeconds = 60;

/** Where the host reaches its own published port. */
const published = { address: "127.0.0.1", port: 443 } as const;

/** An app as its clients see it, by the proxy's port on this host. @param path a page that it must answer itself */
export function servedAt(
  serverName: string,
  path: string | null,
): ResourceOf<"served-certificate"> {
  return {
    ...{ kind: "served-certificate", serverName, ...published },
    // The unit that puts the pair in place answers for the pair; an app answers for itself.
    file: null,
    ...{ path, waitSeconds: serveSeconds },
  };
}

/** The variable by which an overlay's own configs take the version of the overlay. */
export const overlayVariable = "CCCI_VERSION";

/** Variables that are ours to set, each with where its value comes from instead. */
const reserved: ReadonlyMap<string, string> = new Map([
  ["TYPE", "it follows recipe and release"],
  ["DOMAIN", "it follows domain"],
  ["LETS_ENCRYPT_ENV", "it stays empty: certificates come from host files"],
  ["COMPOSE_FILE", "it follows composeFiles"],
  ["STACK_NAME", "it follows domain"],
  ["TIMEOUT", "it follows deploySeconds"],
  [overlayVariable, "it follows what is laid over the recipe"],
]);

/** A recipe deployed as a stack: what Traefik and every other app have in common. */
export abstract class RecipeStack extends Construct implements HasUnit {
  readonly domain: string;
  /** abra's name of the stack: the domain with underscores for dots. */
  readonly stack: string;
  readonly certificate: WildcardCertificate;
  readonly network: OverlayNetwork;
  readonly #piece: ConvergePiece;
  readonly #props: RecipeStackProps;
  readonly #abra: Abra;
  /** The secrets of the recipe, each with the file that it is made of. */
  readonly secrets: readonly StackSecret[];

  constructor(scope: Construct, id: string, props: RecipeStackProps) {
    super(scope, id);
    this.#props = props;
    this.domain = props.domain;
    this.stack = props.domain.replaceAll(".", "_");
    this.certificate = props.certificate;
    this.network = props.network;
    const machine = Machine.of(this);
    for (const other of [props.network, props.certificate]) Machine.link(this, other);
    machine.claims.take("the domain", this.domain, this, "domain");
    this.#abra = abraOf(machine);
    const envFile = `${props.piece}.env`;
    const envPath = `${machine.folder}/${envFile}`;
    new TemplateFile(this, "env", {
      path: envPath,
      template: "coop-cloud/app.env",
      context: () => ({ variables: this.#variables() }),
    });
    const { registryCredentials } = props.network.swarm.engine;
    const credentials = registryCredentials === undefined ? [] : [registryCredentials];
    this.secrets = props.secrets(this).map(({ name, versionVariable, file, versionOf }) => ({
      name,
      file,
      variable: versionVariable,
      secret: new SwarmSecret(this, `secret-${encodeURIComponent(name)}`, {
        stack: this.stack,
        name,
        file,
        versionOf,
      }),
    }));
    const overlay = (props.overlay ?? []).map(({ file, template, context }) => {
      const name = `${props.piece}.${file}`;
      const path = `${machine.folder}/${name}`;
      new TemplateFile(this, file, { path, template, context });
      return { file, name, path };
    });
    const overlaySlots = Object.fromEntries(
      overlay.map(({ file, name }) => [overlaySlot(file), nixJoin([nixPath(name)])]),
    );
    this.#piece = new ConvergePiece(this, "piece", {
      name: props.piece,
      description: props.description,
      requires: [props.network],
      wants: props.wants,
      after: [props.network.swarm.retired],
      sources: [...props.sources, ...credentials, ...this.secrets.map(({ secret }) => secret)],
      resources: () => this.#resources(),
      slots: { "env-file": nixJoin([nixPath(envFile)]), ...overlaySlots },
      texts: () => this.#ownVariables().flatMap(({ name, value }) => [name, value]),
      path: [
        nixName("config", "cc-ci", "packages", "abra"),
        nixName("config", "cc-ci", "packages", "git"),
        // Its client reads the recipe's files; of the same version as the daemon.
        nixName("config", "virtualisation", "docker", "package"),
      ],
      // Of all apps: what it replaces has a folder of its own there.
      stateDirectories: [stateFolders.apps],
    });
    for (const path of [envPath, ...overlay.map((each) => each.path)]) {
      this.#piece.module.addFile(path);
    }
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get unit(): SystemdUnit {
    return this.#piece.unit;
  }

  #resources(): readonly Resource[] {
    const { recipe, network, certificate, composeFiles, page, sources } = this.#props;
    const isProxy = sources.includes(certificate);
    const { registryCredentials } = network.swarm.engine;
    const version = { slot: versionSlot };
    return [
      {
        kind: "checkout",
        recipe: recipe.name,
        repository: recipe.repository,
        directory: this.#abra.checkout(this.domain, recipe.name),
        revision: recipe.revision,
        version,
        fetchSeconds,
        overlay: this.#overlay,
        secretVariables: this.#secretVariables,
      },
      {
        kind: "env",
        path: this.#abra.envFile(this.domain),
        content: { slot: "env-file" },
      },
      // Before the stack, which may take over its ports.
      retiredResource("piece"),
      {
        kind: "stack",
        stack: this.stack,
        domain: this.domain,
        recipe: recipe.name,
        version,
        chaos: recipe.chaos || this.#overlay !== undefined,
        abraDirectory: this.#abra.directory(this.domain),
        composeFiles: [...composeFiles],
        networks: [network.name],
        registryCredentials: registryCredentials?.path ?? null,
        pullSeconds: this.#pullSeconds,
        deploySeconds: this.#deploySeconds,
        stableSeconds,
      },
      {
        ...servedAt(this.domain, page === false ? null : page),
        ...(isProxy ? { file: certificate.certificate.path } : {}),
      },
    ];
  }

  get #overlay(): ResourceOf<"checkout">["overlay"] {
    const files = (this.#props.overlay ?? []).map(({ file }) => ({
      file,
      content: { slot: overlaySlot(file) },
    }));
    return files.length === 0 ? undefined : { version: { slot: overlayVersionSlot }, files };
  }

  /** Those whose names the host reads from the recipe. */
  get #secretVariables(): ResourceOf<"checkout">["secretVariables"] {
    const named = this.secrets.filter(({ variable }) => variable === undefined);
    if (named.length === 0) return undefined;
    const ours = new Set(this.#props.overlay?.map(({ file }) => file));
    return {
      composeFiles: this.#props.composeFiles.filter((file) => !ours.has(file)),
      slots: Object.fromEntries(
        named.map(({ name, secret }) => [name, { slot: secret.variableSlot }]),
      ),
    };
  }

  get #pullSeconds(): number {
    return this.#props.bounds.pullSeconds ?? defaultPullSeconds;
  }

  get #deploySeconds(): number {
    return this.#props.bounds.deploySeconds ?? defaultDeploySeconds;
  }

  /** The whole `.env`, in order; each name once. */
  #variables(): readonly Variable[] {
    const own = this.#ownVariables();
    const names = new Set(own.map(({ name }) => name));
    const others = Object.entries(this.#props.env)
      .map(([name, value]) => ({ name, value }))
      .filter(({ name }) => !names.has(name))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
    return [...own, ...others];
  }

  /** Those variables of the `.env` whose values are ours. */
  #ownVariables(): readonly Variable[] {
    const { recipe, composeFiles } = this.#props;
    return [
      { name: "TYPE", value: `${recipe.name}:${textSlot(versionSlot)}` },
      { name: "DOMAIN", value: this.domain },
      { name: "LETS_ENCRYPT_ENV", value: "" },
      { name: "TIMEOUT", value: String(this.#deploySeconds) },
      { name: "COMPOSE_FILE", value: composeFiles.join(":") },
      ...(this.#overlay === undefined
        ? []
        : [{ name: overlayVariable, value: textSlot(overlayVersionSlot) }]),
      ...this.secrets.map(({ variable, secret }) => ({
        name: variable ?? textSlot(secret.variableSlot),
        value: textSlot(secret.versionSlot),
      })),
    ];
  }

  #validate(): string[] {
    const { recipe, env, certificate, composeFiles, page } = this.#props;
    const problems = [...recipe.problems()];
    if (!isHostName(this.domain)) {
      problems.push(
        `domain: ${JSON.stringify(this.domain)} is no domain name: use lower-case labels joined by dots`,
      );
    } else if (!certificate.covers(this.domain)) {
      problems.push(
        `domain: ${this.domain} must be one label under the wildcard ${certificate.wildcard}`,
      );
    }
    problems.push(...this.#nameProblems());
    for (const [property, value] of Object.entries(this.#props.bounds)) {
      if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= 86_400)) {
        problems.push(`${property}: must be a whole number of seconds, from 1 to 86400`);
      }
    }
    const versionVariables = new Map(
      this.secrets.flatMap(({ name, variable }) =>
        variable === undefined ? [] : [[variable, name]],
      ),
    );
    for (const { name, variable } of this.secrets) {
      if (variable === undefined) continue;
      const other = versionVariables.get(variable);
      if (other !== name) {
        problems.push(
          `secrets: ${name} and ${other} would share the variable ${variable}: a recipe has one of them`,
        );
      }
    }
    for (const [name, value] of Object.entries(env)) {
      const reason =
        reserved.get(name) ??
        (versionVariables.has(name) ? "it follows the secret's content" : undefined);
      if (!isEnvName(name)) {
        problems.push(
          `env: ${JSON.stringify(name)} cannot be the name of a variable: use letters, digits and underscores, no digit first`,
        );
      } else if (reason !== undefined) {
        problems.push(`env: ${name} cannot be set here: ${reason}`);
      } else if (slotsInText(value).length > 0) {
        problems.push(
          `env: ${name} holds ${slotsInText(value).map(textSlot).join(", ")}, which the host would fill in: write something else`,
        );
      }
      const unwritable = envProblem(value);
      if (unwritable !== undefined) problems.push(`env: ${name}: ${unwritable}`);
    }
    if (page !== false && !/^\/(?!\/)[!"$-[\]-~]*$/.test(page)) {
      problems.push(
        `page: ${JSON.stringify(page)} is no path of a page: write it as in /api/health, or false where there is none`,
      );
    }
    if (composeFiles.length === 0 || new Set(composeFiles).size < composeFiles.length) {
      problems.push("composeFiles: must name one compose file or more, each once");
    }
    for (const file of composeFiles) {
      if (!/^compose(?:\.[A-Za-z0-9_-]+)*\.ya?ml$/.test(file)) {
        problems.push(
          `composeFiles: ${JSON.stringify(file)} is no compose file of a recipe: write it as in compose.yml or compose.smtp.yml`,
        );
      }
    }
    return problems;
  }

  #nameProblems(): string[] {
    const { length } = this.stack;
    if (length <= nameLimits.stack) return [];
    return [
      `domain: the stack name ${this.stack} has ${length} characters, and abra takes ${nameLimits.stack}: choose a shorter domain`,
    ];
  }
}

/** The slot that the checkout fills with the release or commit that it found. */
const versionSlot = "recipe-version";

/** The slot that the checkout fills with digits of the digest of what is laid over the recipe. */
const overlayVersionSlot = "overlay-version";

/** The slot that Nix fills with the path of a file that is laid over the recipe. */
function overlaySlot(file: string): string {
  return `overlay-${file.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}

/** The one abra of a machine, made when the first recipe asks for it. */
function abraOf(machine: Machine): Abra {
  const known = machine.node.children.find((child) => child instanceof Abra);
  return known instanceof Abra ? known : new Abra(machine, "abra");
}

/** Why a value cannot be written into an `.env`; undefined when it can. */
function envProblem(value: string): string | undefined {
  try {
    envValue(value);
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return error.message;
    throw error;
  }
}
