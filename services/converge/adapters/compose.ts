import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { readEnvText } from "./env-text.ts";
import { Git } from "./git.ts";
import { endedHow, lastWords, type Run, runProgram } from "./program.ts";

/** The recipe's files do not make a stack. */
export class ComposeFailure extends Error {}

export interface StackToRender {
  readonly stack: string;
  readonly domain: string;
  /** The clone of the recipe, and the commit whose files count. */
  readonly checkout: string;
  readonly commit: string;
  /** In the order in which they are merged. */
  readonly composeFiles: readonly string[];
  /** The text of the app's `.env`, its slots filled. */
  readonly env: string;
}

/** A port that the proxy or an app takes on this machine. */
export interface PublishedPort {
  readonly port: number;
  readonly protocol: string;
}

export interface ModelService {
  /** As the recipe has it; in the swarm it is `<stack>_<name>`. */
  readonly name: string;
  readonly image: string;
  /** Undefined where the swarm's nodes say how many. */
  readonly replicas: number | undefined;
  /** Those of the service itself, not of its containers. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names in the swarm, sorted. */
  readonly secrets: readonly string[];
  readonly configs: readonly string[];
  readonly networks: readonly string[];
  readonly ports: readonly PublishedPort[];
}

/** What the recipe's files come to: the part of it that is compared with what Docker has. */
export interface StackModel {
  readonly services: readonly ModelService[];
  /** What must be there before a deploy, by its name in the swarm. */
  readonly external: { readonly secrets: readonly string[]; readonly networks: readonly string[] };
}

/** For reading a few files, in seconds. */
const seconds = 60;

/** Recipes rendered by Docker's own client, the program that abra's code comes from. */
export class Compose {
  readonly #git: Git;
  readonly #run: Run;

  constructor({ git = new Git(), run = runProgram }: { git?: Git; run?: Run } = {}) {
    this.#git = git;
    this.#run = run;
  }

  /**
   * @throws {ComposeFailure} with the words of what could not make a stack of it
   * @throws {GitFailure} when the commit's files are not to be had
   */
  async render(wanted: StackToRender): Promise<StackModel> {
    const scratch = await mkdtemp(join(tmpdir(), "cc-ci-recipe-"));
    try {
      const folder = join(scratch, "files");
      await mkdir(folder);
      await this.#git.export(wanted.checkout, wanted.commit, folder);
      const files = wanted.composeFiles.flatMap((file) => ["--compose-file", join(folder, file)]);
      const ending = await this.#run({
        program: "docker",
        args: ["stack", "config", ...files],
        // Each variable may be asked for by a recipe: there is none but those that abra has.
        env: await environment(wanted, folder),
        folder,
        seconds,
      });
      if (ending.status !== 0) {
        const words = lastWords(ending).replaceAll(`${folder}/`, "");
        throw new ComposeFailure(words || `docker stack config ${endedHow(ending, seconds)}`);
      }
      return modelOf(ending.stdout, wanted.stack);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

/** As abra has it: the `.env`, the name of the stack, and over them what abra.sh exports. */
async function environment(
  { stack, domain, env }: StackToRender,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const script = await readFile(join(folder, "abra.sh"), "utf8").catch(() => "");
  return {
    ...readEnvText(env),
    DOMAIN: domain,
    STACK_NAME: stack,
    ...exportsOf(script),
  };
}

/** The plain exports of a recipe's abra.sh, as abra reads them: line by line, without a shell. */
export function exportsOf(script: string): Readonly<Record<string, string>> {
  const found = script.matchAll(/^export\s+(\w+)=(\S+)/gm);
  return Object.fromEntries([...found].map(([, name = "", value = ""]) => [name, value]));
}

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const named = z.record(
  z.string(),
  z.looseObject({ name: text.optional(), external: z.boolean().optional() }).nullable(),
);
const used = z.array(z.looseObject({ source: text }));

/** What `docker stack config` prints: the long form of everything. */
const configSchema = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: text,
      deploy: z
        .looseObject({
          mode: text.optional(),
          replicas: z.coerce.number().optional(),
          labels: z.record(z.string(), text.nullable()).optional(),
        })
        .optional(),
      secrets: used.optional(),
      configs: used.optional(),
      networks: z.record(z.string(), z.unknown()).optional(),
      ports: z
        .array(
          z.looseObject({ published: z.coerce.number().optional(), protocol: text.optional() }),
        )
        .optional(),
    }),
  ),
  secrets: named.optional(),
  configs: named.optional(),
  networks: named.optional(),
});

/** @throws {ComposeFailure} when it is no stack */
export function modelOf(yaml: string, stack: string): StackModel {
  const read = configSchema.safeParse(parse(yaml));
  if (!read.success) {
    throw new ComposeFailure(
      `'docker stack config' printed what is no stack: ${z.prettifyError(read.error)}`,
    );
  }
  const config = read.data;
  const nameIn = (kind: "secrets" | "configs" | "networks", key: string): string => {
    const entry = config[kind]?.[key];
    return entry?.name ?? (entry?.external ? key : `${stack}_${key}`);
  };
  const namesOf = (kind: "secrets" | "configs" | "networks", keys: readonly string[]) =>
    [...new Set(keys.map((key) => nameIn(kind, key)))].sort();
  const externals = (kind: "secrets" | "networks") =>
    namesOf(
      kind,
      Object.entries(config[kind] ?? {})
        .filter(([, entry]) => entry?.external === true)
        .map(([key]) => key),
    );
  return {
    services: Object.entries(config.services).map(([name, service]) => ({
      name,
      image: service.image,
      replicas:
        (service.deploy?.mode ?? "replicated") === "replicated"
          ? (service.deploy?.replicas ?? 1)
          : undefined,
      labels: mapValues(service.deploy?.labels ?? {}),
      secrets: namesOf(
        "secrets",
        (service.secrets ?? []).map(({ source }) => source),
      ),
      configs: namesOf(
        "configs",
        (service.configs ?? []).map(({ source }) => source),
      ),
      // A service that names none is on the stack's own.
      networks: namesOf("networks", Object.keys(service.networks ?? { default: null })),
      ports: (service.ports ?? []).flatMap(({ published, protocol }) =>
        published ? [{ port: published, protocol: protocol ?? "tcp" }] : [],
      ),
    })),
    external: { secrets: externals("secrets"), networks: externals("networks") },
  };
}

function mapValues(
  labels: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, value ?? ""]));
}
