import { ask, type HttpAnswer, NoAnswer, TooLong } from "../http.ts";

export interface Credentials {
  /** Drone's address, such as `https://drone.ci.example.org`. */
  readonly server: string;
  /** The forge's, which Drone must lead to: the password goes nowhere else. */
  readonly forge: string;
  readonly login: string;
  /** On the forge. Never in an error or a log. */
  readonly password: string;
  /** For one answer, in seconds. @default 15 */
  readonly answerSeconds?: number;
}

/** Why an account was not logged in. */
export type LoginTrouble =
  /** Drone or the forge does not answer. */
  | "silent"
  /** The forge does not take login and password. */
  | "password-refused"
  /** The forge wants more than a password, such as a second factor: a person has to log in. */
  | "person-wanted"
  /** Drone does not let the account in, or the forge does not let Drone ask for that. */
  | "refused"
  /** Drone leads to another forge, or not to a login at all. */
  | "elsewhere";

export class LoginRefusal extends Error {
  readonly trouble: LoginTrouble;

  constructor(trouble: LoginTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** More redirects than any way from Drone to the forge and back has. */
const mostSteps = 12;

/**
 * Logs an account of the forge (a Gitea) in to Drone, as a browser does whose user consents: Drone's login
 * page, the forge's password form, its consent, and back. Drone keeps a token of the forge from then on.
 *
 * @throws {LoginRefusal} when Drone has no new login of the account
 */
export async function logIn(credentials: Credentials): Promise<void> {
  const browser = new Browser(credentials);
  let answer = await browser.get(new URL("/login", credentials.server));
  let hasSentPassword = false;
  for (let step = 0; step < mostSteps; step += 1) {
    const { url } = answer;
    if (url.origin === browser.server && !isLoginPage(url)) {
      const message = url.pathname === "/login/error" ? url.searchParams.get("message") : null;
      if (message !== null) throw new LoginRefusal("refused", message);
      if (browser.hasSession) return;
      throw new LoginRefusal("elsewhere", `${url.host} gives no session`);
    }
    if (answer.location !== undefined) {
      answer = await browser.get(answer.location);
      continue;
    }
    const form = formOf(answer.text);
    if (url.origin === browser.forge && url.pathname.endsWith("/user/login")) {
      if (hasSentPassword) {
        throw new LoginRefusal("password-refused", `${url.host} does not take login and password`);
      }
      hasSentPassword = true;
      form.set("user_name", credentials.login);
      form.set("password", credentials.password);
      answer = await browser.post(url, form);
    } else if (url.origin === browser.forge && form.has("client_id") && form.has("state")) {
      form.set("granted", "true");
      answer = await browser.post(new URL("/login/oauth/grant", url), form);
    } else if (url.origin === browser.forge && url.pathname.endsWith("/login/oauth/authorize")) {
      const words = `${url.host} asks nobody for consent: it has no such OAuth client`;
      throw new LoginRefusal("refused", words);
    } else {
      const words = `${url.host}${url.pathname} shows a page that only a person can answer`;
      throw new LoginRefusal("person-wanted", words);
    }
  }
  throw new LoginRefusal("elsewhere", "it is led round in circles");
}

function isLoginPage({ pathname }: URL): boolean {
  return pathname === "/login";
}

interface Page {
  readonly url: URL;
  /** Where it leads to by itself. */
  readonly location: URL | undefined;
  readonly text: string;
}

/** Two jars of cookies, for the two servers that it knows; it goes nowhere else. */
class Browser {
  readonly server: string;
  readonly forge: string;
  readonly #seconds: number;
  readonly #jars = new Map<string, Map<string, string>>();

  constructor({ server, forge, answerSeconds = 15 }: Credentials) {
    this.server = new URL(server).origin;
    this.forge = new URL(forge).origin;
    this.#seconds = answerSeconds;
  }

  /** Whether Drone has let it in. */
  get hasSession(): boolean {
    return (this.#jars.get(this.server)?.get("_session_") ?? "") !== "";
  }

  async get(url: URL): Promise<Page> {
    return await this.#ask(url, "GET");
  }

  async post(url: URL, form: URLSearchParams): Promise<Page> {
    return await this.#ask(url, "POST", form);
  }

  async #ask(url: URL, method: "GET" | "POST", body?: URLSearchParams): Promise<Page> {
    if (url.origin !== this.server && url.origin !== this.forge) {
      const words = `the login leads to ${url.origin}, which is neither Drone nor the forge`;
      throw new LoginRefusal("elsewhere", words);
    }
    const jar = this.#jars.get(url.origin) ?? new Map<string, string>();
    this.#jars.set(url.origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { Accept: "text/html", ...(cookie === "" ? {} : { Cookie: cookie }) };
    const answer = await this.#answer(url, { method, headers, body });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    if (answer.status >= 500 || [404, 429].includes(answer.status)) {
      throw new LoginRefusal("silent", `${url.host}${url.pathname} answers with ${answer.status}`);
    }
    const location = answer.headers.get("location");
    return {
      url,
      location: location === null ? undefined : new URL(location, url),
      text: answer.text,
    };
  }

  async #answer(
    url: URL,
    question: {
      readonly method: "GET" | "POST";
      readonly headers: Readonly<Record<string, string>>;
      readonly body: URLSearchParams | undefined;
    },
  ): Promise<HttpAnswer> {
    try {
      return await ask(url, { ...question, seconds: this.#seconds });
    } catch (error) {
      if (error instanceof NoAnswer) throw new LoginRefusal("silent", error.message);
      if (error instanceof TooLong) throw new LoginRefusal("elsewhere", error.message);
      throw error;
    }
  }
}

/**
 * The hidden fields of a page's forms: what a browser sends without anybody typing. Gitea's pages have one
 * form each that matters; older versions have a `_csrf` among them.
 */
export function formOf(html: string): URLSearchParams {
  const form = new URLSearchParams();
  for (const [tag] of html.matchAll(/<input\b[^>]*>/gi)) {
    const attribute = (name: string): string | undefined =>
      new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, "i")
        .exec(tag)
        ?.slice(1)
        .find((value) => value !== undefined);
    const name = attribute("name");
    if (name === undefined || attribute("type")?.toLowerCase() !== "hidden") continue;
    form.set(name, unescaped(attribute("value") ?? ""));
  }
  return form;
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[String(name).toLowerCase()] ?? whole;
  });
}
