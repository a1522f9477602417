import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { now } from "../environment.ts";
import { log } from "../log.ts";
import { type Condition, fits, matches, type Pipeline, pipelinesIn } from "../pipeline.ts";
import type { Details, LogLine, Stage, Step } from "../records.ts";
import { type Client, Overtaken } from "./client.ts";
import type { Settings } from "./settings.ts";
import { stepEnvironment, substituted, substitutes } from "./step-environment.ts";

/** What a step is ended with by the repository's timeout: the status of a shell that was killed. */
const killedStatus = 137;

/** A step that says so ends its stage as a success. */
const skipStatus = 78;

/** A step of a pipeline, ready to be run. */
interface Plan {
  readonly step: Step;
  readonly script: string;
  readonly own: Readonly<Record<string, string>>;
  readonly runs: (hasFailed: boolean) => boolean;
}

/** Runs a stage that the server gave, from taking it to its end. */
export async function runStage(settings: Settings, client: Client, given: Stage): Promise<void> {
  const accepted = await client.accept(given.id, settings.name);
  const details = await client.details(given.id);
  await new StageRun(settings, client, details, accepted).run();
}

class StageRun {
  readonly #settings: Settings;
  readonly #client: Client;
  readonly #details: Details;
  readonly #ending = new AbortController();
  #stage: Stage;
  #root = "";

  constructor(settings: Settings, client: Client, details: Details, stage: Stage) {
    this.#settings = settings;
    this.#client = client;
    this.#details = details;
    this.#stage = stage;
  }

  async run(): Promise<void> {
    const { build, repository } = this.#details;
    const watching = new AbortController();
    // When it cannot be known any more, it goes on as if there were none.
    this.#client.ended(build.id, watching.signal).then(
      () => this.#ending.abort(),
      () => {},
    );
    const timer = setTimeout(() => this.#ending.abort(), repository.timeout * 60_000);
    try {
      await this.#begin();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    } finally {
      clearTimeout(timer);
      watching.abort();
      if (this.#root !== "") rmSync(this.#root, { recursive: true, force: true });
    }
  }

  async #begin(): Promise<void> {
    let plans: readonly Plan[];
    try {
      this.#demandLimits();
      plans = this.#plans(this.#pipeline());
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      log("error", "cannot process stage", { error: words });
      const time = now();
      Object.assign(this.#stage, { status: "error", error: words, stopped: time, started: time });
      return await this.#report();
    }
    Object.assign(this.#stage, { status: "running", started: now() });
    this.#stage.steps = plans.map(({ step }) => step);
    await this.#report();
    this.#layOut(plans);
    for (const plan of plans) await this.#runStep(plan);
    this.#finish();
    await this.#report();
  }

  /** @throws {Error} when this runner is not for such builds */
  #demandLimits(): void {
    const { build, repository } = this.#details;
    const { events, repositories, trusted } = this.#settings.limits;
    const suits = (patterns: readonly string[], value: string): boolean =>
      patterns.length === 0 || patterns.some((pattern) => matches(pattern, value));
    const may =
      suits(repositories, repository.slug) &&
      suits(events, build.event) &&
      (!trusted || repository.trusted);
    if (!may) throw new Error("insufficient permission to run the pipeline");
  }

  #pipeline(): Pipeline {
    const variables = substitutes(this.#details, this.#stage, this.#settings.environ);
    const pipelines = pipelinesIn(substituted(this.#details.config, variables));
    const found = pipelines.find(({ name }) => name === this.#stage.name);
    if (found === undefined) throw new Error("cannot find named stage");
    return found;
  }

  #plans({ clone, steps }: Pipeline): readonly Plan[] {
    const { build, repository } = this.#details;
    const cloning = [
      "git init",
      `git remote add origin ${repository.git_http_url}`,
      `git fetch  origin +refs/heads/${build.target}:`,
      `git checkout ${build.after} -b ${build.target}`,
    ];
    const all = [
      ...(clone.disable ? [] : [{ name: "clone", commands: cloning, own: {}, runs: () => true }]),
      ...steps.map(({ commands, environment, name, when }) => ({
        ...{ name, commands, runs: runsWhen(when.status) },
        own: Object.fromEntries(Object.entries(environment).map(([key, one]) => [key, `${one}`])),
      })),
    ];
    return all.map(({ commands, name, own, runs }, at) => ({
      ...{ own, runs, script: scriptOf(commands) },
      step: {
        ...{ id: 0, step_id: this.#stage.id, number: at + 1, name, status: "pending" },
        ...{ exit_code: 0, version: 0 },
      },
    }));
  }

  #layOut(plans: readonly Plan[]): void {
    this.#root = join(this.#settings.root, `drone-${randomBytes(8).toString("hex")}`);
    mkdirSync(this.#root, { recursive: true });
    for (const folder of ["home/drone", "drone/src", "opt"]) {
      mkdirSync(join(this.#root, folder), { recursive: true, mode: 0o700 });
    }
    const { netrc } = this.#details;
    if (netrc !== null) {
      const { login, machine, password } = netrc;
      const text = `machine ${machine} login ${login} password ${password}`;
      writeFileSync(join(this.#root, "home/drone/.netrc"), text, { mode: 0o600 });
    }
    for (const { script, step } of plans) {
      writeFileSync(this.#scriptFile(step), script, { mode: 0o700 });
    }
  }

  #scriptFile({ number }: Step): string {
    return join(this.#root, "opt", `step-${number}`);
  }

  /** The steps as the server knows them: what it says of numbers and versions counts. */
  get #steps(): readonly Step[] {
    return this.#stage.steps ?? [];
  }

  async #runStep({ own, runs, step: { number } }: Plan): Promise<void> {
    const step = this.#steps.find((each) => each.number === number);
    if (step === undefined) return;
    if (this.#ending.signal.aborted) return this.#kill();
    if (this.#stage.status === "killed" || this.#steps.every(isOver)) return;
    const hasFailed = this.#steps.some(({ status }) => ["failure", "error"].includes(status));
    if (!runs(hasFailed)) {
      skip(step);
      return await this.#reportStep(step);
    }
    Object.assign(step, { status: "running", started: now() });
    await this.#reportStep(step);
    const { environ } = this.#settings;
    const more = { root: this.#root, environ, own };
    const variables = stepEnvironment(this.#details, this.#stage, step, more);
    const ended = await this.#start(step, variables);
    await this.#client.upload(step.id, ended.lines);
    if (ended.status === undefined) return this.#kill();
    const isGood = ended.status === 0 || ended.status === skipStatus;
    const status = isGood ? "success" : "failure";
    Object.assign(step, { status, exit_code: ended.status, stopped: now() });
    if (!isGood) this.#stage.status = "failure";
    await this.#reportStep(step);
    if (ended.status === skipStatus) for (const each of this.#steps) skip(each);
  }

  /** @returns the status that the shell ended with, none when it was killed because the stage is to end */
  async #start(
    step: Step,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number | undefined; readonly lines: readonly LogLine[] }> {
    const started = performance.now();
    const lines: LogLine[] = [];
    const cwd = join(this.#root, "drone/src");
    const stdio = ["ignore", "pipe", "pipe"] as const;
    let shell: ChildProcess;
    let isOpen = true;
    const add = (out: string): void => {
      if (!isOpen) return;
      const time = Math.floor((performance.now() - started) / 1000);
      lines.push({ pos: lines.length, out, time });
    };
    const status = await new Promise<number | undefined>((resolve) => {
      // In the runner's own group of processes: whatever the step starts is so as well.
      shell = spawn("/bin/sh", ["-e", this.#scriptFile(step)], {
        cwd,
        env: { ...env },
        stdio: [...stdio],
      });
      for (const stream of [shell.stdout, shell.stderr]) {
        // What comes at once is taken apart, with an empty line after it.
        stream?.setEncoding("utf8").on("data", (text: string) => {
          const isOne = !text.slice(0, -1).includes("\n");
          for (const line of isOne ? [text] : text.split(/(?<=\n)/)) add(line);
          if (!isOne && text.endsWith("\n")) add("");
        });
      }
      shell.on("error", () => resolve(255));
      // Only when its output is closed too, by all that hold it.
      shell.on("close", (code) => resolve(code ?? -1));
      this.#ending.signal.addEventListener("abort", () => {
        // The shell and nothing that it started. Nobody waits for it.
        shell.kill("SIGKILL");
        resolve(undefined);
      });
    });
    isOpen = false;
    return { status, lines };
  }

  #kill(): void {
    for (const step of this.#steps) {
      if (step.status === "pending") skip(step);
      if (step.status !== "running") continue;
      Object.assign(step, { status: "killed", exit_code: killedStatus, stopped: now() });
    }
    Object.assign(this.#stage, { status: "killed", exit_code: killedStatus, stopped: now() });
  }

  #finish(): void {
    for (const step of this.#steps) skip(step);
    this.#stage.stopped ||= now();
    if (this.#stage.status === "running") this.#stage.status = "success";
  }

  async #report(): Promise<void> {
    const { steps = [], version } = await this.#client.updateStage(this.#stage);
    this.#stage.version = version;
    for (const step of this.#steps) {
      const said = steps.find(({ number }) => number === step.number);
      if (said !== undefined) Object.assign(step, { id: said.id, version: said.version });
    }
  }

  async #reportStep(step: Step): Promise<void> {
    step.version = (await this.#client.updateStep(step)).version;
  }
}

function isOver({ status }: Step): boolean {
  return status !== "pending" && status !== "running";
}

function skip(step: Step): void {
  if (step.status !== "pending") return;
  const time = now();
  Object.assign(step, { status: "skipped", started: time, stopped: time, exit_code: 0 });
}

function runsWhen(status: Condition): (hasFailed: boolean) => boolean {
  const says = status.include.length + status.exclude.length > 0;
  const onFailure = says && fits(status, "failure");
  const onSuccess = !says || fits(status, "success");
  return (hasFailed) => (hasFailed ? onFailure : onSuccess);
}

/** Each command after a line that shows it as it is written. */
function scriptOf(commands: readonly string[]): string {
  const shown = (command: string): string => JSON.stringify(command).replaceAll("$", "\\$");
  const parts = commands.map((command) => `\necho + ${shown(command)}\n${command}\n`);
  return `\nset -e\n${parts.join("")}`;
}
