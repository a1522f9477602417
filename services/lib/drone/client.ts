import * as z from "zod";
import { parametersOf, type RunRequest } from "../run.ts";
import {
  type Build,
  buildSchema,
  logSchema,
  type Repository,
  type RepositorySettings,
  refusalSchema,
  repositorySchema,
  type User,
  userSchema,
} from "./schemas.ts";
import { DroneRefusal, troubleOf } from "./trouble.ts";

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
    return await this.#json(userSchema, "GET", "/api/user");
  }

  /** Has the repositories of this account read from the forge: Drone knows of no others. */
  async sync(): Promise<void> {
    await this.#ask("POST", "/api/user/repos", { seconds: startSeconds });
  }

  async repository(slug: string): Promise<Repository> {
    return await this.#json(repositorySchema, "GET", repositoryPath(slug));
  }

  /** Enables it, again too. Drone makes a hook on the forge, by the rights of this account. */
  async enable(slug: string): Promise<Repository> {
    return await this.#json(repositorySchema, "POST", repositoryPath(slug));
  }

  async change(slug: string, settings: RepositorySettings): Promise<Repository> {
    return await this.#json(repositorySchema, "PATCH", repositoryPath(slug), { body: settings });
  }

  /**
   * Starts a build with the parameters of a request, and no others. There is no second build of the same
   * request only as long as nobody starts one whose first start came to `unknown`.
   *
   * @throws {DroneRefusal} when there will be none
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
      const isOpen = error.trouble === "silent" || error.trouble === "broken";
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
      if (error instanceof DroneRefusal && error.trouble === "not-found") return [];
      throw error;
    }
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

  async #ask(method: Method, path: string, { query, body, seconds }: Ask = {}): Promise<Answer> {
    const { server, token, answerSeconds = 15 } = this.#options;
    const url = new URL(path, server);
    url.search = new URLSearchParams(query).toString();
    const limit = seconds ?? answerSeconds;
    try {
      const answer = await fetch(url, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // One that leads elsewhere would take the token along.
        redirect: "manual",
        signal: AbortSignal.timeout(limit * 1000),
      });
      const text = await answer.text();
      if (answer.ok) return { status: answer.status, text };
      const words = wordsOf(text);
      if (words === undefined) {
        // Of the proxy in front of it, or of whatever else answers there.
        const what = `${url.host}: not Drone answers, but something with ${answer.status}`;
        throw new DroneRefusal("silent", answer.status, what);
      }
      throw new DroneRefusal(troubleOf(answer.status, words), answer.status, words);
    } catch (error) {
      if (error instanceof DroneRefusal) throw error;
      throw new DroneRefusal("silent", 0, `${url.host}: ${reasonOf(error, limit)}`);
    }
  }
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

interface Ask {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** For the answer. @default that of the client */
  readonly seconds?: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @throws {Error} for what is no name of a repository */
function repositoryPath(slug: string): string {
  const parts = slug.split("/");
  if (parts.length !== 2 || parts.some((part) => !/^(?!\.\.?$)[A-Za-z0-9._-]+$/.test(part))) {
    throw new Error(`${JSON.stringify(slug)} is no repository: write it as owner/name`);
  }
  return `/api/repos/${slug}`;
}

/** The message of a no of Drone's; undefined where it is of somebody else. */
function wordsOf(body: string): string | undefined {
  try {
    return refusalSchema.parse(JSON.parse(body)).message;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown, seconds: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${seconds} s`;
  // fetch says "fetch failed", and why in the cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
