import * as z from "zod";
import { ask, type HttpAnswer, type HttpQuestion, NoAnswer, TooLong } from "../http.ts";
import { repositoryPath } from "../repository-path.ts";
import {
  branchSchema,
  commentSchema,
  eventSchema,
  type ForgeComment,
  type ForgeUser,
  type FoundPull,
  foundPullSchema,
  type Hook,
  hookSchema,
  limitsSchema,
  madeSchema,
  type Pull,
  type PullEvent,
  pullSchema,
  refsSchema,
  userSchema,
} from "./schemas.ts";
import { ForgeRefusal, pauseOf, troubleOf } from "./trouble.ts";

export interface ForgeOptions {
  /** A Gitea, such as `https://git.example.org`. */
  readonly server: string;
  /** Of the account that asks. Never in an error or a log. */
  readonly token: string;
  /** For one answer, in seconds. @default 15 */
  readonly answerSeconds?: number;
}

/** What the forge says of somebody and an organisation. */
export type Membership =
  | "member"
  | "none"
  /** It tells only its members, and the account that asks is none. */
  | "not-told";

/** Part of a list: from 1 on, each of so many entries but the last ones. */
export interface Page {
  readonly page: number;
  readonly limit: number;
}

/** The most that a forge gives for a page, unless its operator chose otherwise. */
export const largestPage = 50;
/** More than any repository has hooks for. */
const mostPages = 20;

/** For how long it is believed what the forge says of its pages, in milliseconds. */
const limitLasts = 15 * 60_000;

/**
 * Speaks to a forge. Nothing is asked for a second time by itself, and nothing at all as long as the forge wants to
 * be left in peace.
 */
export class ForgeClient {
  readonly #options: ForgeOptions;
  #limit: { readonly most: number; readonly until: number } | undefined;
  /** Until when it wants to be asked for nothing, by the clock that never goes back. */
  #quietUntil = 0;

  constructor(options: ForgeOptions) {
    this.#options = options;
  }

  /** For how long it still wants to be asked for nothing, in milliseconds; 0 where it does not say. */
  get quietMilliseconds(): number {
    return Math.max(0, this.#quietUntil - performance.now());
  }

  /** Whose token it is. */
  async user(): Promise<ForgeUser> {
    return await this.#json(userSchema, "/user");
  }

  /**
   * Whether somebody is a member of an organisation, concealed or not. What the forge sends elsewhere with is no
   * yes: there it tells of public members alone, or of somebody who has another name now.
   */
  async membership(organisation: string, login: string): Promise<Membership> {
    const path = `/orgs/${encodeURIComponent(organisation)}/members/${encodeURIComponent(login)}`;
    const answer = await this.#answer("GET", path);
    if (answer.status === 204) return "member";
    if (answer.status === 303) return "not-told";
    if (answer.status === 307) return "none";
    return await noneOrThrow(() => this.#refuse(answer), "none");
  }

  /** Whether somebody is in a team, by its number. For who is in it, too. */
  async isInTeam(team: number, login: string): Promise<boolean> {
    const answer = await this.#answer("GET", `/teams/${team}/members/${encodeURIComponent(login)}`);
    if (answer.status === 200) return true;
    if (answer.status === 307) return false;
    return await noneOrThrow(() => this.#refuse(answer), false);
  }

  /**
   * Pull requests of an owner's repositories, open or not, of which something happened: a comment, a push, another
   * state. An edit of a comment, its removal and a reaction are nothing.
   *
   * @param since whole seconds; the same second counts
   */
  async movedPulls(owner: string, since: Date, page: Page): Promise<readonly FoundPull[]> {
    const query = { owner, type: "pulls", state: "all", since: seconds(since), ...texts(page) };
    return await this.#json(z.array(foundPullSchema), "/repos/issues/search", query);
  }

  /**
   * Comments of a repository's issues and pull requests that were made or edited since then, by the time at which
   * they were made, the oldest first.
   *
   * @param since whole seconds; the same second counts
   */
  async comments(slug: string, since: Date, page: Page): Promise<readonly ForgeComment[]> {
    const query = { since: seconds(since), ...texts(page) };
    return await this.#json(
      z.array(commentSchema),
      `${repositoryPath(slug)}/issues/comments`,
      query,
    );
  }

  /** Undefined when it is gone, of another repository, or a word about a line of the change. */
  async comment(slug: string, id: number): Promise<ForgeComment | undefined> {
    const answer = await this.#answer("GET", `${repositoryPath(slug)}/issues/comments/${id}`);
    if (answer.status === 204) return undefined;
    if (isYes(answer)) return parsed(commentSchema, answer, "GET the comment");
    return await noneOrThrow(() => this.#refuse(answer), undefined);
  }

  async pull(slug: string, number: number): Promise<Pull> {
    return await this.#json(pullSchema, `${repositoryPath(slug)}/pulls/${number}`);
  }

  /** The commit that a repository has for a pull request, which is what can be fetched of it; undefined for none. */
  async pullHead(slug: string, number: number): Promise<string | undefined> {
    const name = `refs/pull/${number}/head`;
    const refs = await this.#json(refsSchema, `${repositoryPath(slug)}/git/${name}`);
    return refs.find(({ ref }) => ref === name)?.object.sha;
  }

  /**
   * What happened to a pull request, the oldest first; its opening and each push to it are `pull_push`. A page may
   * have less than it is for, or nothing, and not be the last.
   */
  async eventsOf(slug: string, pull: number, page: Page): Promise<readonly PullEvent[]> {
    const path = `${repositoryPath(slug)}/issues/${pull}/timeline`;
    return (await this.#json(z.array(eventSchema).nullable(), path, texts(page))) ?? [];
  }

  /** The most that this forge gives for a page. Its operator may choose otherwise: it is asked now and then. */
  async largestPage(): Promise<number> {
    if (this.#limit === undefined || performance.now() > this.#limit.until) {
      const { max_response_items: most } = await this.#json(limitsSchema, "/settings/api");
      this.#limit = { most: Math.min(most, largestPage), until: performance.now() + limitLasts };
    }
    return this.#limit.most;
  }

  /**
   * Whether the token goes so far as to write comments in a repository. Nothing is written: no comment has that
   * number.
   */
  async mayComment(slug: string): Promise<boolean> {
    const path = `${repositoryPath(slug)}/issues/comments/0`;
    const answer = await this.#answer("PATCH", path, { body: "" });
    return !isOfScope(answer);
  }

  /** The commit that a branch is at. */
  async branchHead(slug: string, branch: string): Promise<string> {
    const path = `${repositoryPath(slug)}/branches/${encodeURIComponent(branch)}`;
    return (await this.#json(branchSchema, path)).commit.id;
  }

  /** @returns the number of the comment */
  async postComment(slug: string, pull: number, body: string): Promise<number> {
    const path = `${repositoryPath(slug)}/issues/${pull}/comments`;
    const answer = await this.#ask("POST", path, { body });
    return parsed(madeSchema, answer, "POST a comment").id;
  }

  /** @throws {ForgeRefusal} of `not-found` when it is gone */
  async editComment(slug: string, id: number, body: string): Promise<void> {
    await this.#ask("PATCH", `${repositoryPath(slug)}/issues/comments/${id}`, { body });
  }

  /** A reaction that is there already stays. @param content its name, as in `eyes` */
  async react(slug: string, comment: number, content: string): Promise<void> {
    await this.#ask("POST", reactionsPath(slug, comment), { content });
  }

  /** One that is gone already is no trouble. */
  async unreact(slug: string, comment: number, content: string): Promise<void> {
    const path = reactionsPath(slug, comment);
    await noneOrThrow(() => this.#ask("DELETE", path, { content }), undefined);
  }

  /** What calls elsewhere when something happens in a repository. For who is admin of it. */
  async hooks(slug: string): Promise<readonly Hook[]> {
    return await this.#all(hookSchema, `${repositoryPath(slug)}/hooks`);
  }

  /** One that is gone already is no trouble. For who is admin of the repository. */
  async removeHook(slug: string, id: number): Promise<void> {
    const path = `${repositoryPath(slug)}/hooks/${id}`;
    await noneOrThrow(() => this.#ask("DELETE", path), undefined);
  }

  async #all<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    query: Query = {},
  ): Promise<readonly z.infer<Schema>[]> {
    const all: z.infer<Schema>[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const part = texts({ page, limit: largestPage });
      const found = await this.#json(z.array(schema).nullable(), path, { ...query, ...part });
      all.push(...(found ?? []));
      if ((found ?? []).length === 0) break;
    }
    return all;
  }

  async #json<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    query: Query = {},
  ): Promise<z.infer<Schema>> {
    const search = new URLSearchParams(query).toString();
    const whole = search === "" ? path : `${path}?${search}`;
    return parsed(schema, await this.#ask("GET", whole), `GET ${path}`);
  }

  async #ask(method: Method, path: string, body?: unknown): Promise<HttpAnswer> {
    const answer = await this.#answer(method, path, body);
    return isYes(answer) ? answer : this.#refuse(answer);
  }

  async #answer(method: Method, path: string, body?: unknown): Promise<HttpAnswer> {
    const { server, token, answerSeconds = 15 } = this.#options;
    if (this.quietMilliseconds > 0) {
      const options = { status: 429, retryAfterSeconds: this.quietMilliseconds / 1000 };
      throw new ForgeRefusal("silent", "the forge wants to be left in peace", options);
    }
    const url = new URL(`/api/v1${path}`, server);
    const headers = { Authorization: `token ${token}`, Accept: "application/json" };
    try {
      return await ask(url, { method, headers, body, seconds: answerSeconds });
    } catch (error) {
      if (error instanceof NoAnswer) throw new ForgeRefusal("silent", error.message);
      if (error instanceof TooLong) throw new ForgeRefusal("too-long", error.message);
      throw error;
    }
  }

  #refuse(answer: HttpAnswer): never {
    const { status, text, headers } = answer;
    const retryAfterSeconds = pauseOf(headers.get("retry-after"), new Date());
    if (retryAfterSeconds !== undefined) {
      this.#quietUntil = performance.now() + 1000 * retryAfterSeconds;
    }
    const options = { status, retryAfterSeconds };
    const { server } = this.#options;
    const words = wordsOf(text);
    if (isOfScope(answer)) throw new ForgeRefusal("token-refused", words ?? "", options);
    if (words !== undefined) throw new ForgeRefusal(troubleOf(status), words, options);
    if (isElsewhere(answer, server)) {
      throw new ForgeRefusal("moved", "it has another name on the forge by now", options);
    }
    // Of the proxy in front of it, or of whatever else answers there.
    const { host } = new URL(server);
    const what = `${host}: not the forge answers, but something with ${status}`;
    throw new ForgeRefusal("silent", what, options);
  }
}

type Method = HttpQuestion["method"];
type Query = Readonly<Record<string, string>>;

function isYes({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** What is asked about is there under another name: the forge says so with a place of its own. */
function isElsewhere({ status, headers }: HttpAnswer, server: string): boolean {
  const location = headers.get("location");
  if (status < 300 || status >= 400 || location === null) return false;
  const api = new URL("/api/v1/", server).href;
  return URL.canParse(location, server) && new URL(location, server).href.startsWith(api);
}

/** Whether it is the token that does not go so far; the account may. */
function isOfScope({ status, text }: HttpAnswer): boolean {
  return status === 403 && /required scope/.test(wordsOf(text) ?? "");
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  { status, text }: HttpAnswer,
  what: string,
): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new ForgeRefusal("broken", `${what}: an answer of another shape`, { status });
  }
}

/** What is not there is an answer too. */
async function noneOrThrow<Value>(
  ask: () => Promise<unknown> | never,
  none: Value,
): Promise<Value> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof ForgeRefusal && error.trouble === "not-found")) throw error;
  }
  return none;
}

/** As the forge takes times: a `+` in an offset it would take for a blank. */
function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function texts({ page, limit }: Page): Query {
  return { page: String(page), limit: String(limit) };
}

function reactionsPath(slug: string, comment: number): string {
  return `${repositoryPath(slug)}/issues/comments/${comment}/reactions`;
}

const refusalSchema = z.object({ message: z.string() });

/** The message of a no of the forge's; undefined where it is of somebody else. */
function wordsOf(body: string): string | undefined {
  try {
    return refusalSchema.parse(JSON.parse(body)).message;
  } catch {
    return undefined;
  }
}
