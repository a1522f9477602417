import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BuildPlace, DroneClient } from "../../services/lib/drone/client.ts";
import type { Build } from "../../services/lib/drone/schemas.ts";
import type { RunRequest } from "../../services/lib/run.ts";
import type { ForgeAccount, OAuthClient } from "../forge/account.ts";
import { freePort, Gitea } from "../forge/gitea.ts";
import { logIn } from "../forge/log-in.ts";
import { until } from "../host/machine/processes.ts";
import { Front } from "./front.ts";
import { Gate } from "./gate.ts";
import { type DronePrograms, dronePrograms } from "./programs.ts";
import { DroneRunner } from "./runner.ts";
import { type DroneAnswer, type DroneCall, DroneServer, type Variables } from "./server.ts";

/**
 * How long an access token of the forge is good for, in seconds. Drone renews it a minute before its end,
 * so from half a minute after a login on.
 */
export const accessSeconds = 90;

/** What every runner and server here share. */
export const rpcSecret = randomBytes(32).toString("hex");

/** Of the CI repository, its file with the pipeline. */
const configPath = "out/host/drone.yml";

const organisation = "ci";

/** A Drone server with its client at the forge, and how its owner speaks to it. */
export interface Drone {
  readonly server: DroneServer;
  readonly oauth: OAuthClient;
  /** The token of the account that is there from the start. */
  readonly token: string;
  readonly client: DroneClient;
}

/** A forge with its people, a Drone with a runner that has many slots, and what it takes to have more. */
export class Scene {
  readonly programs: DronePrograms;
  readonly gitea: Gitea;
  /** Owner of everything on the forge, and the administrator of every Drone. */
  readonly owner: ForgeAccount;
  /** May write to the CI repository, and that is all. */
  readonly writer: ForgeAccount;
  /** Has no rights anywhere. */
  readonly stranger: ForgeAccount;
  readonly #scratch: string;
  readonly #running: { stop(): Promise<unknown> }[] = [];
  readonly #stories = new Map<unknown, Promise<unknown>>();
  #count = 0;
  #lastAct: Promise<unknown> = Promise.resolve();

  private constructor(
    scratch: string,
    gitea: Gitea,
    [owner, writer, stranger]: readonly [ForgeAccount, ForgeAccount, ForgeAccount],
  ) {
    this.#scratch = scratch;
    this.programs = dronePrograms(scratch);
    this.gitea = gitea;
    this.owner = owner;
    this.writer = writer;
    this.stranger = stranger;
  }

  /** @param scratch a folder that somebody removes, see `makeScratch` */
  static async start(scratch: string): Promise<Scene> {
    const gitea = await Gitea.start(scratch, { accessSeconds });
    const owner = await gitea.createAccount("owner", { isAdmin: true });
    const others = await Promise.all(
      ["writer", "stranger"].map((name) => gitea.createAccount(name)),
    );
    const [writer, stranger] = others as [ForgeAccount, ForgeAccount];
    await owner.createOrganisation(organisation);
    const scene = new Scene(scratch, gitea, [owner, writer, stranger]);
    scene.#running.push(gitea);
    return scene;
  }

  async stop(): Promise<void> {
    // The forge last.
    for (const each of this.#running.toReversed()) await each.stop();
  }

  /** A name that nothing else here has. */
  name(start: string): string {
    this.#count += 1;
    return `${start}-${this.#count}`;
  }

  /** A new folder that is removed with the scene. */
  folder(): string {
    const folder = join(this.#scratch, this.name("folder"));
    mkdirSync(folder);
    return folder;
  }

  /** What several entries of the contract look at happens once. */
  async once<T>(story: (scene: Scene) => Promise<T>): Promise<T> {
    const told = this.#stories.get(story) ?? story(this);
    this.#stories.set(story, told);
    return (await told) as T;
  }

  /** A new repository on the forge, to which `writer` may write. @returns owner and name of it */
  async repository(options: { readonly isPrivate?: boolean } = {}): Promise<string> {
    const name = this.name("repository");
    const slug = `${organisation}/${name}`;
    return await this.#inTurn(async () => {
      await this.owner.createRepository(organisation, name, options);
      await this.owner.addCollaborator(slug, "writer", "write");
      return slug;
    });
  }

  /** A new commit on a branch of its own that has a pipeline. @param text none: it has none */
  async place(repository: string, text?: string): Promise<BuildPlace> {
    const branch = this.name("branch");
    const file = text === undefined ? "other.txt" : configPath;
    const commit = await this.#inTurn(
      async () => await this.owner.commitFile(repository, branch, file, text ?? ""),
    );
    return { repository, branch, commit };
  }

  /**
   * Does one thing to the forge after the other. With several at once its database is locked now and then, for
   * which Gitea does not wait with SQLite: it answers 500, and leaves half of what was to be made.
   */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#lastAct.then(act);
    this.#lastAct = done.catch(() => undefined);
    return await done;
  }

  /** A Drone that is not started yet. @param forge where it looks for it. @default the forge itself */
  async prepare(settings: Variables = {}, forge = this.gitea.url): Promise<Drone> {
    const name = this.name("drone");
    const port = await freePort();
    const redirect = `http://127.0.0.1:${port}/login`;
    const oauth = await this.owner.createOAuthClient(name, redirect);
    const token = randomBytes(16).toString("hex");
    const all = {
      DRONE_GITEA_SERVER: forge.replace(/\/$/, ""),
      DRONE_GITEA_CLIENT_ID: oauth.clientId,
      DRONE_GITEA_CLIENT_SECRET: oauth.clientSecret,
      DRONE_RPC_SECRET: rpcSecret,
      DRONE_USER_CREATE: firstUser({ token }),
      DRONE_DATABASE_SECRET: randomBytes(16).toString("hex"),
      DRONE_COOKIE_SECRET: randomBytes(16).toString("hex"),
      DRONE_CRON_DISABLED: "true",
      DRONE_STATUS_DISABLED: "true",
      DRONE_DATADOG_ENABLED: "false",
      DRONE_REGISTRATION_CLOSED: "true",
      ...settings,
    };
    const server = new DroneServer(this.programs.server, join(this.#scratch, name), port, all);
    this.#running.push(server);
    const client = new DroneClient({ server: server.url, token });
    return { server, oauth, token, client };
  }

  /** The same, started and with its owner logged in. */
  async drone(settings: Variables = {}, forge?: string): Promise<Drone> {
    const drone = await this.prepare(settings, forge);
    await drone.server.start();
    await logIn(this.owner, `${drone.server.url}/login`);
    return drone;
  }

  /** The Drone that most entries share. */
  async shared(): Promise<Drone> {
    return await this.once(sharedDrone);
  }

  /** A repository of the shared Drone, enabled. */
  async enabled(options: { readonly isPrivate?: boolean } = {}): Promise<string> {
    const { client } = await this.shared();
    return await this.enabledAt(client, options);
  }

  async enabledAt(client: DroneClient, options: { readonly isPrivate?: boolean } = {}) {
    const repository = await this.repository(options);
    await client.sync();
    await client.enable(repository);
    await client.change(repository, { config_path: configPath });
    return repository;
  }

  /** An enabled repository of the shared Drone that entries share as well: each has its branch of it. */
  async ci(): Promise<string> {
    return await this.once(sharedRepository);
  }

  /** @param labels which stages it takes: those with the same ones. @default none */
  async runner(drone: Drone, settings: Variables = {}, own: Variables = {}): Promise<DroneRunner> {
    const name = this.name("runner");
    const all = { DRONE_RPC_SECRET: rpcSecret, DRONE_RUNNER_NAME: name, ...settings };
    const folder = join(this.#scratch, name);
    const runner = await DroneRunner.start(
      this.programs.runner,
      folder,
      drone.server.url,
      all,
      own,
    );
    this.#running.push({ stop: async () => await runner.program.stop("SIGKILL") });
    return runner;
  }

  /** A way to a port that can be shut. @default the forge's */
  async gate(to = Number(new URL(this.gitea.url).port)): Promise<Gate> {
    const gate = await Gate.open(to);
    this.#running.push(gate);
    return gate;
  }

  /** A proxy before a server. */
  async front({ server }: Drone): Promise<Front> {
    return await this.frontOf(server.url);
  }

  /** The same, by its address. */
  async frontOf(url: string): Promise<Front> {
    const front = await Front.open(url);
    this.#running.push(front);
    return front;
  }

  /** Starts a build with any parameters, as nobody but a test does. */
  async build(place: BuildPlace, parameters: Variables = {}, drone?: Drone): Promise<number> {
    const { body, status } = await this.ask("POST", `${place.repository}/builds`, {
      ...{ drone, query: { branch: place.branch, commit: place.commit, ...parameters } },
    });
    if (status === 200 && typeof body === "object" && body !== null && "number" in body) {
      return Number(body.number);
    }
    throw new Error(`no build was started: ${status} ${JSON.stringify(body)}`);
  }

  /** A call below `/api/repos/`, by the owner. */
  async ask(
    method: string,
    path: string,
    { drone, ...call }: DroneCall & { readonly drone?: Drone | undefined } = {},
  ): Promise<DroneAnswer> {
    const { server, token } = drone ?? (await this.shared());
    return await server.ask(method, `/api/repos/${path}`, { token, ...call });
  }

  /** Waits for a build to be as it is wanted. @throws {Error} with how it was at last */
  async buildUntil(
    repository: string,
    number: number,
    isWanted: (build: Build) => boolean,
    { seconds = 60, drone }: { readonly seconds?: number; readonly drone?: Drone } = {},
  ): Promise<Build> {
    const { client } = drone ?? (await this.shared());
    let last: Build | undefined;
    const ask = async (): Promise<Build | undefined> => {
      last = await client.build(repository, number);
      return isWanted(last) ? last : undefined;
    };
    try {
      return await until(`the wanted state of ${repository} ${number}`, seconds, ask, 300);
    } catch (error) {
      throw new Error(`${String(error)}; it is ${JSON.stringify(last)}`);
    }
  }

  async ended(
    place: BuildPlace,
    number: number,
    more: { readonly seconds?: number; readonly drone?: Drone } = {},
  ): Promise<Build> {
    const isOver = ({ status }: { readonly status: string }): boolean =>
      status !== "pending" && status !== "running";
    // Drone ends a build first, and then what is in it.
    const isAllOver = (build: Build): boolean => isOver(build) && build.stages.every(isOver);
    return await this.buildUntil(place.repository, number, isAllOver, more);
  }
}

async function sharedDrone(scene: Scene): Promise<Drone> {
  const drone = await scene.drone();
  await scene.runner(
    drone,
    { DRONE_RUNNER_CAPACITY: "12" },
    { SECRET_OF_THE_RUNNER: "1", no_proxy: "*" },
  );
  return drone;
}

async function sharedRepository(scene: Scene): Promise<string> {
  return await scene.enabled();
}

/** What says which account there is from the start. @param token none: Drone makes one */
export function firstUser({ token }: { readonly token?: string }): string {
  const account = "username:owner,machine:false,admin:true";
  return token === undefined ? account : `${account},token:${token}`;
}

/** A request that nobody else has. */
export function newRequest(): RunRequest {
  const id = randomBytes(8).toString("hex");
  return {
    id,
    recipe: "wiki",
    repository: "recipes/wiki",
    pull: 7,
    commit: "f".repeat(40),
    quick: true,
  };
}

export interface PipelineOptions {
  /** Which runners take it. @default those without labels */
  readonly labels?: Variables;
  readonly event?: string;
  readonly clone?: boolean;
  /** Steps after the first, with when they run: on `success`, `failure`, or both. */
  readonly more?: Readonly<
    Record<string, { readonly on: readonly string[]; readonly commands: readonly string[] }>
  >;
}

/** The text of a pipeline with a step `work`, as YAML, of which JSON is a part. */
export function pipeline(commands: readonly string[], options: PipelineOptions = {}): string {
  const { clone = false, event = "custom", labels, more = {} } = options;
  return JSON.stringify({
    ...{ kind: "pipeline", type: "exec", name: "run", clone: { disable: !clone } },
    platform: { os: "linux", arch: process.arch === "x64" ? "amd64" : process.arch },
    ...(labels === undefined ? {} : { node: labels }),
    trigger: { event: [event] },
    steps: [
      { name: "work", commands },
      ...Object.entries(more).map(([name, step]) => ({
        ...{ name, commands: step.commands, when: { status: step.on } },
      })),
    ],
  });
}
