import type { ForgeAccount } from "./account.ts";

/** How often one answer may lead to the next. */
const longestWay = 12;

/**
 * Logs an account of the forge in where "log in with the forge" is the way in, as a browser would: it
 * gives the password, agrees when asked to, and goes wherever it is sent.
 *
 * @param start the page that leads to the forge, as in `https://drone.example.org/login`
 * @returns the cookies that it has at the end, and the last page it was led to
 */
export async function logIn(
  account: ForgeAccount,
  start: string,
): Promise<{ readonly cookies: string; readonly end: URL }> {
  const browser = new Browser();
  const authorize = await browser.get(new URL(start));
  if (authorize === undefined) throw new Error(`${start} leads nowhere`);
  // By whatever name it is reached.
  const forge = new URL("../../", authorize);
  const { login: user_name, password } = account;
  const form = new URLSearchParams({ user_name, password });
  const inside = await browser.post(new URL("user/login", forge), form);
  if (inside === undefined) throw new Error(`the forge does not let ${user_name} in`);
  let page: URL | undefined = authorize;
  for (let step = 0; step < longestWay; step += 1) {
    const next: URL | undefined = await browser.get(page);
    if (next === undefined) {
      if (!browser.body.includes('action="/login/oauth/grant"')) {
        return { cookies: browser.cookiesOf(page), end: page };
      }
      page = await browser.post(new URL("login/oauth/grant", forge), consent(browser.body));
      if (page === undefined) throw new Error("the forge takes no consent");
    } else {
      // What is led to there is no business of this login.
      if (next.host !== forge.host && page.host !== forge.host) {
        return { cookies: browser.cookiesOf(page), end: next };
      }
      page = next;
    }
  }
  throw new Error(`${start}: led on for ever, lately to ${page?.href}`);
}

/** The fields of the page that asks whether one agrees, with a yes. */
function consent(page: string): URLSearchParams {
  const form = new URLSearchParams();
  for (const [tag] of page.matchAll(/<input type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    const value = /value="([^"]*)"/.exec(tag)?.[1] ?? "";
    if (name !== undefined) form.set(name, value.replaceAll("&amp;", "&").replaceAll("&#43;", "+"));
  }
  form.set("granted", "true");
  return form;
}

/** Goes one step at a time and keeps cookies, for each host its own. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** Of the last answer. */
  body = "";

  /** @returns where it leads to, if anywhere */
  async get(url: URL): Promise<URL | undefined> {
    return await this.#ask(url, {});
  }

  async post(url: URL, form: URLSearchParams): Promise<URL | undefined> {
    return await this.#ask(url, { method: "POST", body: form });
  }

  cookiesOf(url: URL): string {
    const own = this.#cookies.get(url.host) ?? new Map<string, string>();
    return [...own].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async #ask(url: URL, more: RequestInit): Promise<URL | undefined> {
    const headers = { Cookie: this.cookiesOf(url) };
    const answer = await fetch(url, { ...more, headers, redirect: "manual" });
    this.body = await answer.text();
    const own = this.#cookies.get(url.host) ?? new Map<string, string>();
    this.#cookies.set(url.host, own);
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      own.set(name, value);
    }
    if (answer.status >= 400) {
      throw new Error(`${url.origin}${url.pathname} says ${answer.status}`);
    }
    const location = answer.headers.get("location");
    return location === null ? undefined : new URL(location, url);
  }
}
