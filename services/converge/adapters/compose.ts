import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { readEnvText } from "./env-text.ts";
import { Git } from "./git.ts";
import { KeptModels } from "./kept-models.ts";
import { type Ending, endedHow, identityOf, lastWords, type Run, runProgram } from "./program.ts";
import type { StackModel } from "./stack-model.ts";

/** Files do not make a stack, or Docker's client did not get through with deploying one. */
export class ComposeFailure extends Error {}

export interface StackToRender {
  readonly stack: string;
  readonly domain: string;
  /** The clone of the recipe, and the commit whose files count. */
  readonly checkout: string;
  readonly commit: string;
  /** In the order in which they are merged. */
  readonly composeFiles: readonly string[];
  /** Files of ours that are laid over those. */
  readonly overlay: readonly { readonly file: string; readonly text: string }[];
  /** The text of the app's `.env`, its slots filled. */
  readonly env: string;
}

/** For reading a few files, in seconds. */
const seconds = 60;

interface ComposeOptions {
  readonly git?: Git;
  readonly run?: Run;
  readonly identity?: (program: string) => Promise<string>;
  /** @default those of this host, which it only reads */
  readonly kept?: KeptModels;
}

/** Docker's own client, the program that abra's code comes from. */
export class Compose {
  readonly #git: Git;
  readonly #run: Run;
  readonly #identity: (program: string) => Promise<string>;
  readonly #kept: KeptModels;

  constructor(options: ComposeOptions = {}) {
    this.#git = options.git ?? new Git();
    this.#run = options.run ?? runProgram;
    this.#identity = options.identity ?? identityOf;
    this.#kept = options.kept ?? new KeptModels();
  }

  /**
   * @throws {ComposeFailure} with the words of what could not make a stack of it
   * @throws {GitFailure} when the commit's files are not to be had
   */
  async render(wanted: StackToRender): Promise<StackModel> {
    // Another Docker may read the same files otherwise, and another converge make another model of them.
    const programs = ["docker", process.argv[1] ?? ""];
    const madeFrom = [wanted, ...(await Promise.all(programs.map(this.#identity)))];
    const kept = await this.#kept.find(wanted.stack, madeFrom);
    if (kept !== undefined) return kept;
    const model = await this.#render(wanted);
    await this.#kept.keep(wanted.stack, madeFrom, model);
    return model;
  }

  /** The same of one compose file that says all itself. */
  async renderText(stack: string, text: string): Promise<StackModel> {
    const programs = ["docker", process.argv[1] ?? ""];
    const madeFrom = [stack, text, ...(await Promise.all(programs.map(this.#identity)))];
    const kept = await this.#kept.find(stack, madeFrom);
    if (kept !== undefined) return kept;
    const { stdout } = await this.#onFile(text, seconds, (file) => [
      ...["stack", "config", "--compose-file", file],
    ]);
    const { parse } = await import("yaml");
    const model = modelOf(parse(stdout), stack);
    await this.#kept.keep(stack, madeFrom, model);
    return model;
  }

  /**
   * Has Docker deploy such a file. How its services come up is seen to by who asked.
   *
   * @throws {ComposeFailure} with the words of Docker's client, which did not get through with it
   */
  async deployText(stack: string, text: string, limit: number): Promise<void> {
    await this.#onFile(text, limit, (file) => [
      ...["stack", "deploy", "--detach=true", "--resolve-image", "never"],
      ...["--compose-file", file, stack],
    ]);
  }

  async #onFile(
    text: string,
    limit: number,
    args: (file: string) => readonly string[],
  ): Promise<Ending> {
    const folder = await mkdtemp(join(tmpdir(), "cc-ci-stack-"));
    try {
      const file = join(folder, "compose.yml");
      await writeFile(file, text, { mode: 0o600 });
      const env = { PATH: process.env.PATH ?? "", HOME: folder };
      const command = { program: "docker", args: args(file), env, folder, seconds: limit };
      const ending = await this.#run(command);
      if (ending.status === 0) return ending;
      const words = lastWords(ending).replaceAll(`${folder}/`, "");
      throw new ComposeFailure(words || `docker ${command.args[0]} ${endedHow(ending, limit)}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #render(wanted: StackToRender): Promise<StackModel> {
    const scratch = await mkdtemp(join(tmpdir(), "cc-ci-recipe-"));
    try {
      const folder = join(scratch, "files");
      await mkdir(folder);
      await this.#git.export(wanted.checkout, wanted.commit, folder);
      for (const { file, text } of wanted.overlay) {
        // The recipe may have a link of that name, which leads anywhere.
        await rm(join(folder, file), { recursive: true, force: true });
        await writeFile(join(folder, file), text, { flag: "wx" });
      }
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
      // Where there is nothing to render, nobody waits for it.
      const { parse } = await import("yaml");
      return modelOf(parse(ending.stdout), wanted.stack);
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

/**
 * The version of the format that a compose file says it has; undefined where it says nothing. Docker's client
 * refuses files that do not say the same.
 */
export async function formatVersion(composeFile: string): Promise<string | undefined> {
  return (await declaredIn(composeFile))?.version;
}

/**
 * The variable that carries the version of a secret, as these compose files of a recipe name it;
 * undefined when they do not.
 */
export async function secretVariable(
  secret: string,
  composeFiles: readonly string[],
): Promise<string | undefined> {
  const prefix = `\${STACK_NAME}_${secret}_`;
  for (const composeFile of composeFiles) {
    const name = (await declaredIn(composeFile))?.secrets?.[secret]?.name ?? "";
    const variable = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    const [, plain] =
      /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::?-[^}]*)?\})$/
        .exec(variable)
        ?.filter((part) => part !== undefined) ?? [];
    if (plain !== undefined) return plain;
  }
  return undefined;
}

/** Undefined for what is no YAML, which whoever makes a stack of it says in better words. */
async function declaredIn(composeFile: string) {
  const { parse } = await import("yaml");
  try {
    return declaringSchema.safeParse(parse(composeFile)).data;
  } catch {
    return undefined;
  }
}

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const named = z.record(
  z.string(),
  z.looseObject({ name: text.optional(), external: z.boolean().optional() }).nullable(),
);
const used = z.array(z.looseObject({ source: text }));

const declaringSchema = z.looseObject({ version: text.optional(), secrets: named.optional() });

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
export function modelOf(printed: unknown, stack: string): StackModel {
  const read = configSchema.safeParse(printed);
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
