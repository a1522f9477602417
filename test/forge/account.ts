import * as z from "zod";

/** An answer of the forge, whatever its status. */
export interface ForgeAnswer {
  readonly status: number;
  /** The JSON of its body, else its text. */
  readonly body: unknown;
}

/** An OAuth client, as a program is configured with it. */
export interface OAuthClient {
  /** Gitea's own number of it. */
  readonly id: number;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a person or a program does at a Gitea with an account of its own. */
export class ForgeAccount {
  /** With a slash at its end. */
  readonly url: string;
  readonly login: string;
  readonly password: string;

  constructor(url: string, login: string, password: string) {
    this.url = url;
    this.login = login;
    this.password = password;
  }

  /**
   * With the password: for a token Gitea works for milliseconds and writes down when it was used, each time.
   *
   * @param path below `api/v1/`
   */
  async ask(method: string, path: string, body?: unknown): Promise<ForgeAnswer> {
    return await askForge(this.url, basic(this.login, this.password), method, path, body);
  }

  /** The same, when nothing but a yes will do. @throws {Error} with what the forge said instead */
  async done<Schema extends z.ZodType>(
    schema: Schema,
    ...[method, path, body]: Parameters<ForgeAccount["ask"]>
  ): Promise<z.infer<Schema>> {
    return schema.parse(yes(await this.ask(method, path, body), method, path));
  }

  async createOrganisation(name: string): Promise<void> {
    await this.done(z.unknown(), "POST", "orgs", { username: name });
  }

  /** A repository with a README on `main`, of this account or of an organisation that it owns. */
  async createRepository(
    owner: string,
    name: string,
    options: { readonly isPrivate?: boolean } = {},
  ): Promise<void> {
    const path = owner === this.login ? "user/repos" : `orgs/${owner}/repos`;
    const body = { name, auto_init: true, default_branch: "main", private: options.isPrivate };
    await this.done(z.unknown(), "POST", path, body);
  }

  /** @param right `read`, `write` or `admin` */
  async addCollaborator(repository: string, login: string, right: string): Promise<void> {
    const path = `repos/${repository}/collaborators/${login}`;
    await this.done(z.unknown(), "PUT", path, { permission: right });
  }

  /**
   * Commits a new file, to a branch that may be new too; it then begins where `main` is.
   *
   * @returns the commit, 40 hex digits
   */
  async commitFile(
    repository: string,
    branch: string,
    file: string,
    text: string,
  ): Promise<string> {
    const on = branch === "main" ? { branch } : { branch: "main", new_branch: branch };
    const { commit } = await this.done(
      z.object({ commit: z.object({ sha: z.string() }) }),
      ...(["POST", `repos/${repository}/contents/${file}`] as const),
      { ...on, content: Buffer.from(text).toString("base64"), message: `Add ${file}` },
    );
    return commit.sha;
  }

  /** @param redirect where the forge may send a person back to, as in `https://drone.example.org/login` */
  async createOAuthClient(name: string, redirect: string): Promise<OAuthClient> {
    const made = await this.done(
      z.object({ id: z.int(), client_id: z.string(), client_secret: z.string() }),
      ...(["POST", "user/applications/oauth2"] as const),
      { name, redirect_uris: [redirect], confidential_client: true },
    );
    return { id: made.id, clientId: made.client_id, clientSecret: made.client_secret };
  }

  /** Gives the client another secret: logins by it go on for as long as their access tokens do. */
  async changeOAuthSecret({ id }: OAuthClient): Promise<OAuthClient> {
    const path = `user/applications/oauth2/${id}`;
    const { name, redirect_uris } = await this.done(
      z.object({ name: z.string(), redirect_uris: z.array(z.string()) }),
      ...(["GET", path] as const),
    );
    const body = { name, redirect_uris, confidential_client: true };
    const made = await this.done(
      z.object({ client_id: z.string(), client_secret: z.string() }),
      ...(["PATCH", path, body] as const),
    );
    return { id, clientId: made.client_id, clientSecret: made.client_secret };
  }

  /** Ends every login that was made by the client: its tokens are of nobody any more. */
  async deleteOAuthClient({ id }: OAuthClient): Promise<void> {
    await this.done(z.unknown(), "DELETE", `user/applications/oauth2/${id}`);
  }
}

/** @param scopes as in `read:issue`; `all` for what its owner may */
export async function createToken(
  url: string,
  login: string,
  password: string,
  scopes: readonly string[],
): Promise<string> {
  const path = `users/${login}/tokens`;
  const body = { name: `test-${scopes.join("-")}`, scopes };
  const answer = await askForge(url, basic(login, password), "POST", path, body);
  return z.object({ sha1: z.string() }).parse(yes(answer, "POST", path)).sha1;
}

function basic(login: string, password: string): string {
  return `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;
}

async function askForge(
  url: string,
  authorization: string,
  method: string,
  path: string,
  body: unknown,
): Promise<ForgeAnswer> {
  const answer = await fetch(new URL(`api/v1/${path}`, url), {
    method,
    headers: { Authorization: authorization, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: "manual",
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json") && text !== "";
  return { status: answer.status, body: isJson ? JSON.parse(text) : text };
}

function yes({ status, body }: ForgeAnswer, method: string, path: string): unknown {
  if (status >= 200 && status < 300) return body;
  throw new Error(`${method} ${path}: the forge says ${status}: ${JSON.stringify(body)}`);
}
