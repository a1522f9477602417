import * as z from "zod";
import { ask, type HttpAnswer, type HttpQuestion, NoAnswer, TooLong } from "../http.ts";
import { repositoryPath } from "../repository-path.ts";
import { parametersOf, type RunRequest } from "../run.ts";
import {
  type Build,
  buildSchema,
  logSchema,
  type Permissions,
  type Repository,
  type RepositorySettings,
  refusalSchema,
  remoteListSchema,
  remoteRepositorySchema,
  repositorySchema,
  tokenSchema,
  type User,
  userSchema,
} from "./schemas.ts";
import { DroneRefusal, isSilence, troubleOf } from "./trouble.ts";

export interface DroneOptions {
  /** Such as `https://drone.ci.example.org`. */
  readonly server: string;
  /** Of the account that asks. Never in an error or a log. */
  readonly token: string;
  /** For one answer, in seconds. @default 15 */
  readonly answerSeconds?: number;
}

/** Where a build is to happen. */
export interface BuildPlace {
  /** The CI repository, as in `ci/cc-ci`. */
  readonly repository: string;
  readonly branch: string;
  /** Of the CI repository, all 40 digits, and on that branch: a runner finds no other. */
  readonly commit: string;
}

export interface NewUser {
  readonly login: string;
  readonly token: string;
  /** One that no person logs in to. */
  readonly machine: boolean;
}

/** What came of asking for a build. */
export type Started =
  | { readonly as: "started"; readonly build: Build }
  /** The pipeline is not for builds of this kind. Nothing was made. */
  | { readonly as: "not-triggered" }
  /** A build was made that can never run: its configuration is wrong. */
  | { readonly as: "config-wrong"; readonly build: Build }
  /** There is no configuration at that commit. Nothing was made. */
  | { readonly as: "config-missing" }
  /** Another commit than the one that was asked for. */
  | { readonly as: "other-commit"; readonly build: Build }
  /** Nothing is known of it: ask `buildOf` before asking for a build again. */
  | { readonly as: "unknown"; readonly reason: string };

/** Drone looks for the configuration for this long before it says that there is none, in seconds. */
const configSeconds = 45;
/** So a start takes up to that, and then some. */
const startSeconds = configSeconds + 15;

/** The most that a page of builds may have: for more Drone gives 25. */
const pageSize = 100;

/** Speaks to a Drone server. Nothing is asked for a second time by itself. */
export class DroneClient {
  readonly #options: DroneOptions;

  constructor(options: DroneOptions) {
    this.#options = options;
  }

  /** Whose token it is. */
  async user(): Promise<User> {
    return await this.#json(userSchema, "GET", "/user");
  }

  /** An account by its login; undefined when there is none. For an admin. */
  async findUser(login: string): Promise<User | undefined> {
    return await orUndefined(() => this.#json(userSchema, "GET", userPath(login)));
  }

  /** Makes an account with this token, into which a person of that login on the forge can log in. For an admin. */
  async createUser(user: NewUser): Promise<void> {
    await this.#ask("POST", "/users", { body: { ...user, admin: false } });
  }

  /** For an admin. */
  async removeUser(login: string): Promise<void> {
    await orUndefined(() => this.#ask("DELETE", userPath(login)));
  }

  /** Ends the token that this client asks with. @returns the one that counts from now on */
  async rotateToken(): Promise<string> {
    const query = { rotate: "true" };
    return (await this.#json(tokenSchema, "POST", "/user/token", { query })).token;
  }

  /**
   * What the forge says that this account may do with a repository, by the login that Drone keeps for it.
   *
   * @returns undefined where the account cannot see it there
   * @throws {DroneRefusal} of `login-dead` where Drone has no login of it, or one that has died
   */
  async permissions(slug: string): Promise<Permissions | undefined> {
    const path = `/user/remote${repositoryPath(slug)}`;
    try {
      return (await this.#json(remoteRepositorySchema, "GET", path)).permissions;
    } catch (error) {
      // Drone hands on what the forge says, with a status of its own.
      const isUnseen = error instanceof DroneRefusal && /^not found$/i.test(error.message);
      if (isUnseen) return undefined;
      throw error;
    }
  }

  /**
   * Owner and name of each repository that the forge has for this account: its own, those that it was added to,
   * and those of its teams.
   */
  async remoteRepositories(): Promise<readonly string[]> {
    const path = "/user/remote/repos";
    const found = await this.#json(remoteListSchema, "GET", path, { seconds: startSeconds });
    return found.map(({ slug }) => slug);
  }

  /** Has the repositories of this account read from the forge: Drone knows of no others. */
  async sync(): Promise<void> {
    await this.#ask("POST", "/user/repos", { seconds: startSeconds });
  }

  async repository(slug: string): Promise<Repository> {
    return await this.#json(repositorySchema, "GET", repositoryPath(slug));
  }

  /** Enables it, again too. Drone makes a hook on the forge, by the rights of this account. */
  async enable(slug: string): Promise<Repository> {
    return await this.#json(repositorySchema, "POST", repositoryPath(slug));
  }

  /** Makes this account the one whose login on the forge Drone uses for the repository. */
  async own(slug: string): Promise<void> {
    await this.#ask("POST", `${repositoryPath(slug)}/chown`);
  }

  async change(slug: string, settings: RepositorySettings): Promise<Repository> {
    return await this.#json(repositorySchema, "PATCH", repositoryPath(slug), { body: settings });
  }

  /**
   * Starts a build with the parameters of a request, and no others. There is no second build of the same
   * request only as long as nobody starts one whose first start came to `unknown`.
   *
   * @throws {DroneRefusal} when there will be none, of this start
   */
  async start(place: BuildPlace, request: RunRequest): Promise<Started> {
    const { repository, branch, commit } = place;
    const query = { branch, commit, ...parametersOf(request) };
    const path = `${repositoryPath(repository)}/builds`;
    let build: Build | null;
    try {
      build = await this.#json(buildSchema.nullable(), "POST", path, {
        query,
        seconds: startSeconds,
      });
    } catch (error) {
      if (!(error instanceof DroneRefusal)) throw error;
      if (error.status === 500 && error.message === "Not Found") return { as: "config-missing" };
      const isOpen = error.wasSent && (error.trouble === "broken" || isSilence(error));
      if (isOpen) return { as: "unknown", reason: error.message };
      throw error;
    }
    if (build === null) return { as: "not-triggered" };
    if (build.status === "error") return { as: "config-wrong", build };
    return { as: build.after === commit ? "started" : "other-commit", build };
  }

  /**
   * The build of a request, by its id.
   *
   * @param pages how many hundreds of the newest builds are looked at. @default 3
   * @returns undefined when none of them is it
   */
  async buildOf(slug: string, id: RunRequest["id"], pages = 3): Promise<Build | undefined> {
    for (let page = 1; page <= pages; page += 1) {
      const builds = await this.builds(slug, page);
      const found = builds.find(({ params }) => params.CCCI_ID === id);
      if (found !== undefined || builds.length < pageSize) return found;
    }
    return undefined;
  }

  /** The newest first, without their stages. @param page from 1 on */
  async builds(slug: string, page = 1): Promise<readonly Build[]> {
    const query = { page: String(page), per_page: String(pageSize) };
    const found = z.array(buildSchema).nullable();
    const path = `${repositoryPath(slug)}/builds`;
    return (await this.#json(found, "GET", path, { query })) ?? [];
  }

  /** With its stages and steps. */
  async build(slug: string, number: number): Promise<Build> {
    return await this.#json(buildSchema, "GET", `${repositoryPath(slug)}/builds/${number}`);
  }

  /** Ends a build; one that has ended stays as it is. */
  async cancel(slug: string, number: number): Promise<void> {
    await this.#ask("DELETE", `${repositoryPath(slug)}/builds/${number}`);
  }

  /** What a step printed, line by line; empty for one that did not run. */
  async log(slug: string, number: number, stage: number, step: number): Promise<readonly string[]> {
    const path = `${repositoryPath(slug)}/builds/${number}/logs/${stage}/${step}`;
    try {
      return (await this.#json(logSchema, "GET", path)).map(({ out }) => out);
    } catch (error) {
      // Any other 404 is about the repository or the build.
      const hasNone = error instanceof DroneRefusal && /no rows/i.test(error.message);
      if (hasNone) return [];
      throw error;
    }
  }

  /** Whether runners are let in that show this secret, which is no account's. */
  async takesRunners(secret: string): Promise<boolean> {
    const { server, answerSeconds = 15 } = this.#options;
    const url = new URL("/rpc/v2/ping", server);
    const headers = { "X-Drone-Token": secret };
    const { status } = await answered(url, { method: "POST", headers, seconds: answerSeconds });
    if (status >= 200 && status < 300) return true;
    if (status === 401) return false;
    throw notDrone(url, status);
  }

  async #json<Schema extends z.ZodType>(
    schema: Schema,
    method: Method,
    path: string,
    more: Ask = {},
  ): Promise<z.infer<Schema>> {
    const { text, status } = await this.#ask(method, path, more);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new DroneRefusal("broken", status, `${method} ${path}: the answer is no JSON`);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const what = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`;
    throw new DroneRefusal(
      "broken",
      status,
      `${method} ${path}: an answer of another shape: ${what}`,
    );
  }

  async #ask(
    method: Method,
    path: string,
    { query, body, seconds }: Ask = {},
  ): Promise<HttpAnswer> {
    const { server, token, answerSeconds = 15 } = this.#options;
    const url = new URL(`/api${path}`, server);
    url.search = new URLSearchParams(query).toString();
    const answer = await answered(url, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      body,
      seconds: seconds ?? answerSeconds,
    });
    const { status, text } = answer;
    if (status >= 200 && status < 300) return answer;
    const words = wordsOf(text);
    if (words === undefined) {
      throw notDrone(url, status);
    }
    throw new DroneRefusal(troubleOf(status, words), status, words);
  }
}

/** An answer of the proxy in front of it, or of whatever else answers there. */
function notDrone({ host }: URL, status: number): DroneRefusal {
  const what = `${host}: not Drone answers, but something with ${status}`;
  return new DroneRefusal("silent", status, what);
}

async function answered(url: URL, question: HttpQuestion): Promise<HttpAnswer> {
  try {
    return await ask(url, question);
  } catch (error) {
    if (error instanceof NoAnswer) {
      const { isLate, message, wasSent } = error;
      throw new DroneRefusal(isLate ? "late" : "silent", 0, message, wasSent);
    }
    if (error instanceof TooLong) throw new DroneRefusal("broken", 0, error.message);
    throw error;
  }
}

type Method = HttpQuestion["method"];

interface Ask {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** For the answer. @default that of the client */
  readonly seconds?: number;
}

/** The message of a no of Drone's; undefined where it is of somebody else. */
function wordsOf(body: string): string | undefined {
  // It may go on after its no, in a line of its own.
  for (const text of [body, body.split("\n", 1)[0] ?? ""]) {
    try {
      return refusalSchema.parse(JSON.parse(text)).message;
    } catch {}
  }
  return undefined;
}

async function orUndefined<Value>(look: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof DroneRefusal && error.trouble === "not-found") return undefined;
    throw error;
  }
}

function userPath(login: string): string {
  return `/users/${encodeURIComponent(login)}`;
}
