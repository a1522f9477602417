import { type Ending, endedHow, lastWords, type Run, runProgram } from "./program.ts";

/** abra did not get through with what it was told. */
export class AbraFailure extends Error {
  readonly command: string;
  readonly domain: string;
  /** As in "ended with 1". */
  readonly how: string;
  /** What it said last; never empty. */
  readonly words: string;
  /** What it said before that, and which abra it is. */
  readonly details: string;

  constructor(call: AbraCall, ending: Ending, version: string) {
    const command = ["abra", ...call.args].join(" ");
    const how = endedHow(ending, call.seconds);
    const said = lastWords(ending).split("\n");
    const words = said.at(-1) || "it said nothing";
    super(`${command} ${how}: ${words}`);
    this.command = command;
    this.domain = call.domain;
    this.how = how;
    this.words = words;
    this.details = [...said.slice(0, -1), version].join("\n");
  }
}

/** What abra is told to deploy. */
export interface AppToDeploy {
  readonly domain: string;
  /** The release; undefined for the recipe's files as they lie there, which abra calls chaos. */
  readonly release: string | undefined;
  /** The state folder of this app alone. */
  readonly directory: string;
}

interface AbraCall {
  readonly args: readonly string[];
  readonly domain: string;
  readonly directory: string;
  readonly seconds: number;
}

/** For a program that only says its name, in seconds. */
const versionSeconds = 30;

/**
 * abra, and every argument that is ever given to it. How it ends tells only that it did not get
 * through: whether the stack runs is asked of Docker.
 */
export class Abra {
  readonly #run: Run;

  constructor(run: Run = runProgram) {
    this.#run = run;
  }

  /**
   * No prompts (`-n`), no fetch (`-o`), no look at the public DNS (`-D`), no waiting (`-c`), also when
   * it is deployed already (`-f`).
   *
   * @throws {AbraFailure} when it does not end well within that time
   */
  async deploy({ domain, release, directory }: AppToDeploy, seconds: number): Promise<void> {
    const flags = ["-n", "-o", "-D", "-c", "-f"];
    const what = release === undefined ? [...flags, "-C"] : [release, ...flags];
    await this.#call({ args: ["app", "deploy", domain, ...what], domain, directory, seconds });
  }

  /** @throws {AbraFailure} when it does not end well within that time */
  async undeploy(domain: string, directory: string, seconds: number): Promise<void> {
    await this.#call({ args: ["app", "undeploy", domain, "-n"], domain, directory, seconds });
  }

  async #call(call: AbraCall): Promise<void> {
    const ending = await this.#start(call);
    if (ending.status === 0) return;
    const asked = await this.#start({ ...call, args: ["--version"], seconds: versionSeconds });
    throw new AbraFailure(call, ending, asked.stdout.trim());
  }

  async #start({ args, directory, seconds }: AbraCall): Promise<Ending> {
    return await this.#run({
      program: "abra",
      args,
      // Not in a folder where an abra.yml could lie: it would move abra's state folder.
      folder: "/",
      env: {
        PATH: process.env.PATH ?? "",
        LC_ALL: "C.UTF-8",
        ABRA_DIR: directory,
        HOME: process.env.HOME ?? directory,
      },
      seconds,
    });
  }
}
