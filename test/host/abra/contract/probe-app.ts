import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { Differs } from "./entry.ts";

/** The releases of the recipe `probe`, by what a probe wants of them. */
export const version = {
  first: "0.1.0+1.37.0",
  second: "0.2.0+1.37.0",
  neverHealthy: "0.3.0+1.37.0",
  breaksLint: "0.4.0+1.37.0",
  imageAbsent: "0.5.0+9.9.9",
} as const;

export interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What all probes of one run share. */
export interface ProbeRun {
  /** The program under test. */
  readonly abra: string;
  /** The bare repository of the recipe `probe`. */
  readonly repository: string;
  /** Nothing outside of it is written, but for Docker. */
  readonly folder: string;
  /** Part of every name, so that two runs do not meet. */
  readonly mark: string;
}

/** On every secret, config and label that a probe makes by itself. */
export const probeLabel = "cc-ci.probe";

const abraSeconds = 120;
const waitSeconds = 60;

const serviceSchema = z.object({
  Spec: z.object({
    Labels: z.record(z.string(), z.string()).default({}),
    TaskTemplate: z.object({
      ContainerSpec: z.object({
        Env: z.array(z.string()).default([]),
        Configs: z.array(z.object({ ConfigName: z.string() })).default([]),
      }),
    }),
  }),
});

/** An app of the recipe `probe` in a state folder of its own: a clone, an \`.env\`, and nothing else. */
export class ProbeApp {
  readonly domain: string;
  readonly stateFolder: string;
  readonly checkout: string;
  readonly #run: ProbeRun;
  readonly #id: string;
  #others = 0;

  constructor(run: ProbeRun, id: string, label = `probe-${run.mark}-${id}`) {
    this.#run = run;
    this.#id = id;
    this.domain = `${label}.example.org`;
    this.stateFolder = join(run.folder, id);
    this.checkout = join(this.stateFolder, "recipes/probe");
  }

  /** Writes clone and `.env`. */
  async prepare(): Promise<void> {
    mkdirSync(dirname(this.checkout), { recursive: true });
    await this.git("clone", "--quiet", this.#run.repository, this.checkout);
    // From here on its upstream cannot be reached.
    await this.git("-C", this.checkout, "remote", "set-url", "origin", "/nowhere/probe.git");
    this.writeEnv();
  }

  /** A second app beside this one. */
  async another(label?: string): Promise<ProbeApp> {
    this.#others += 1;
    const app = new ProbeApp(this.#run, `${this.#id}-${this.#others}`, label);
    await app.prepare();
    return app;
  }

  /** Part of every name of this run. */
  get mark(): string {
    return this.#run.mark;
  }

  /** abra's name of the stack, when it is not too long. */
  get stack(): string {
    return this.domain.replaceAll(".", "_");
  }

  get envFile(): string {
    return join(this.stateFolder, "servers/default", `${this.domain}.env`);
  }

  /** The text of the `.env` now. */
  get env(): string {
    return readFileSync(this.envFile, "utf8");
  }

  /** The value of TYPE in the `.env` now. */
  get type(): string {
    return /^TYPE=(.*)$/m.exec(this.env)?.[1] ?? "";
  }

  /** Writes the `.env` whole, with further or other variables; undefined leaves one out. */
  writeEnv(changes: Readonly<Record<string, string | undefined>> = {}): void {
    const variables = {
      TYPE: `probe:${version.first}`,
      DOMAIN: this.domain,
      COMPOSE_FILE: "compose.yml",
      COLOUR: "blue",
      ...changes,
    };
    const lines = Object.entries(variables)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`);
    mkdirSync(dirname(this.envFile), { recursive: true });
    writeFileSync(this.envFile, `# Generated\n${lines.join("\n")}\n`);
  }

  /** The calls that the adapter makes, each without a terminal. */
  async deploy(release: string): Promise<Result> {
    return await this.abra("app", "deploy", this.domain, release, "-n", "-o", "-D", "-c", "-f");
  }

  async deployCheckout(): Promise<Result> {
    return await this.abra("app", "deploy", this.domain, "-n", "-o", "-D", "-c", "-f", "-C");
  }

  async undeploy(): Promise<Result> {
    return await this.abra("app", "undeploy", this.domain, "-n");
  }

  /** The same when it must work. @throws {Differs} with what abra said, when it does not */
  async deployed(release: string): Promise<Result> {
    return worked(await this.deploy(release));
  }

  async checkoutDeployed(): Promise<Result> {
    return worked(await this.deployCheckout());
  }

  async undeployed(): Promise<Result> {
    return worked(await this.undeploy());
  }

  async abra(...args: readonly string[]): Promise<Result> {
    const home = join(this.#run.folder, "home");
    mkdirSync(home, { recursive: true });
    const env = { PATH: process.env.PATH, HOME: home, ABRA_DIR: this.stateFolder };
    return await start(this.#run.abra, args, { env, cwd: "/" });
  }

  /** @throws {Error} when it fails: nothing that abra had a part in */
  async docker(...args: readonly string[]): Promise<string> {
    return must0("docker", args, await start("docker", args, {}));
  }

  async git(...args: readonly string[]): Promise<string> {
    return must0("git", args, await start("git", args, {}));
  }

  /** Names of what the stack has, by its label: `service`, `config`, `network` or `volume`. */
  async namesOf(kind: "service" | "config" | "network" | "volume", stack = this.stack) {
    const label = `label=com.docker.stack.namespace=${stack}`;
    const names = await this.docker(kind, "ls", "--filter", label, "--format", "{{.Name}}");
    return names
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  }

  /** Labels, environment and configs of a service of the stack. */
  async service(name: string) {
    const full = `${this.stack}_${name}`;
    const text = await this.docker("service", "inspect", full);
    const [found] = z.array(serviceSchema).parse(JSON.parse(text));
    if (found === undefined) throw new Differs(`there is no service ${full}`);
    const { Labels, TaskTemplate } = found.Spec;
    const { Env, Configs } = TaskTemplate.ContainerSpec;
    const env = Object.fromEntries(
      Env.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]),
    );
    return { labels: Labels, env, configs: Configs.map(({ ConfigName }) => ConfigName) };
  }

  /** Ids of the stack's tasks that are wanted now. */
  async tasks(): Promise<string> {
    const filter = ["--filter", "desired-state=running"];
    return await this.docker("stack", "ps", "--quiet", ...filter, this.stack);
  }

  /** Ids of the stack's containers, stopped ones included. */
  async containers(): Promise<string> {
    const label = `label=com.docker.stack.namespace=${this.stack}`;
    return await this.docker("ps", "--all", "--quiet", "--filter", label);
  }

  /** Waits until the main service has a container. */
  async running(): Promise<void> {
    const end = Date.now() + waitSeconds * 1000;
    while ((await this.containers()) === "") {
      if (Date.now() > end) throw new Differs(`no container after ${waitSeconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Makes the secret `token` in the swarm, past abra. */
  async createSecret(versionOfSecret: string): Promise<string> {
    const name = `${this.stack}_token_${versionOfSecret}`;
    const file = join(this.#run.folder, `${this.#id}.secret`);
    writeFileSync(file, "a secret of a probe");
    await this.docker("secret", "create", "--label", `${probeLabel}=${this.mark}`, name, file);
    return name;
  }

  /** Makes a config of a name that starts as the stack's do, but without its label. */
  async createForeignConfig(suffix: string): Promise<string> {
    const name = `${this.stack}_${suffix}`;
    const file = join(this.#run.folder, `${this.#id}.config`);
    writeFileSync(file, "a config of a probe");
    await this.docker("config", "create", "--label", `${probeLabel}=${this.mark}`, name, file);
    return name;
  }

  removeEnv(): void {
    rmSync(this.envFile);
  }

  removeCheckout(): void {
    rmSync(this.checkout, { recursive: true });
  }

  hasEnv(): boolean {
    return existsSync(this.envFile);
  }
}

function worked(result: Result): Result {
  if (result.exitCode === 0) return result;
  throw new Differs(`status ${result.exitCode}: ${result.stderr.trim() || result.stdout.trim()}`);
}

function must0(program: string, args: readonly string[], result: Result): string {
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`${[program, ...args].join(" ")}: ${result.stderr.trim()}`);
}

/** Without a terminal, in a session of its own: what a system service gives a program. */
export async function start(
  program: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string | undefined>>; readonly cwd?: string },
): Promise<Result> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    timeout: abraSeconds * 1000,
    cwd: options.cwd,
    env: { ...(options.env ?? process.env) },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`${program} does not start: ${error.message}`)));
    child.on("close", (code) => resolve(code ?? 137));
  });
  return { exitCode, stdout, stderr };
}
