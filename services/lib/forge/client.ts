import * as z from "zod";
import { ask, type HttpQuestion, NoAnswer, TooLong } from "../http.ts";
import { repositoryPath } from "../repository-path.ts";

export interface ForgeOptions {
  /** A Gitea, such as `https://git.example.org`. */
  readonly server: string;
  /** Of the account that asks. Never in an error or a log. */
  readonly token: string;
  /** For one answer, in seconds. @default 15 */
  readonly answerSeconds?: number;
}

/** Why the forge did not do what it was asked for. */
export type ForgeTrouble =
  /** No answer that says anything: none, one of something else than the forge, or one of its own trouble. */
  | "silent"
  /** The token is wrong, or was taken back. */
  | "token-refused"
  /** The token's scopes, or its account, do not go so far. */
  | "not-allowed"
  | "not-found"
  /** Another answer than those that are known. */
  | "broken";

export class ForgeRefusal extends Error {
  readonly trouble: ForgeTrouble;
  /** Of the answer; 0 where there was none. */
  readonly status: number;

  constructor(trouble: ForgeTrouble, status: number, message: string) {
    super(message);
    this.trouble = trouble;
    this.status = status;
  }
}

const hookSchema = z.object({ id: z.int(), config: z.object({ url: z.string() }) });

export type Hook = z.infer<typeof hookSchema>;

/** The most that the forge gives for a page. */
const pageSize = 50;
/** More than any repository has hooks for. */
const mostPages = 20;

/** Speaks to a forge. Nothing is asked for a second time by itself. */
export class ForgeClient {
  readonly #options: ForgeOptions;

  constructor(options: ForgeOptions) {
    this.#options = options;
  }

  /** What calls elsewhere when something happens in a repository. For who is admin of it. */
  async hooks(slug: string): Promise<readonly Hook[]> {
    const hooks: Hook[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const query = `?page=${page}&limit=${pageSize}`;
      const found = await this.#json(z.array(hookSchema), `${repositoryPath(slug)}/hooks${query}`);
      hooks.push(...found);
      if (found.length === 0) break;
    }
    return hooks;
  }

  /** One that is gone already is no trouble. For who is admin of the repository. */
  async removeHook(slug: string, id: number): Promise<void> {
    try {
      await this.#ask("DELETE", `${repositoryPath(slug)}/hooks/${id}`);
    } catch (error) {
      if (!(error instanceof ForgeRefusal && error.trouble === "not-found")) throw error;
    }
  }

  async #json<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.infer<Schema>> {
    const { text, status } = await this.#ask("GET", path);
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new ForgeRefusal("broken", status, `GET ${path}: an answer of another shape`);
    }
  }

  async #ask(
    method: HttpQuestion["method"],
    path: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { server, token, answerSeconds = 15 } = this.#options;
    const url = new URL(`/api/v1${path}`, server);
    const headers = { Authorization: `token ${token}`, Accept: "application/json" };
    try {
      const answer = await ask(url, { method, headers, seconds: answerSeconds });
      const { status, text } = answer;
      if (status >= 200 && status < 300) return answer;
      const words = wordsOf(text);
      if (words !== undefined) throw new ForgeRefusal(troubleOf(status), status, words);
      // Of the proxy in front of it, or of whatever else answers there.
      const what = `${url.host}: not the forge answers, but something with ${status}`;
      throw new ForgeRefusal("silent", status, what);
    } catch (error) {
      if (error instanceof NoAnswer) throw new ForgeRefusal("silent", 0, error.message);
      if (error instanceof TooLong) throw new ForgeRefusal("broken", 0, error.message);
      throw error;
    }
  }
}

function troubleOf(status: number): ForgeTrouble {
  if (status === 401) return "token-refused";
  if (status === 403) return "not-allowed";
  if (status === 404) return "not-found";
  // Trouble of its own, or of the proxy in front of it while the forge is away; or too much asked for.
  return status === 429 || status >= 500 ? "silent" : "broken";
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
