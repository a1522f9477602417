import { STATUS_CODES } from "node:http";
import * as z from "zod";
import { now } from "../environment.ts";
import type { User } from "../records.ts";
import type { Settings } from "./settings.ts";
import type { Store } from "./store.ts";

/** An access token that has no longer than this is renewed first, in seconds. */
const renewBefore = 60;

const grantSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string().default(""),
  expires_in: z.number().default(0),
});

const refusalSchema = z.object({
  error: z.string().optional(),
  error_description: z.string().optional(),
});

/** Gitea's API, asked in the name of a user of Drone's. */
export class Forge {
  readonly #settings: Settings;
  readonly #store: Store;

  constructor(settings: Settings, store: Store) {
    this.#settings = settings;
    this.#store = store;
  }

  /**
   * The JSON or text of a yes.
   *
   * @throws {Error} with the words of the status, or of the connection that did not come about
   */
  async ask(user: User, method: string, path: string, body?: unknown): Promise<unknown> {
    await this.renew(user);
    return await this.askAs(user.access, method, path, body);
  }

  async askAs(token: string, method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#send(method, `${this.#settings.forge}/api/v1/${path}`, {
      headers: {
        // Without a login it asks as anybody could, which for what is public is enough.
        ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
        "Content-Type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status > 300) throw new Error(STATUS_CODES[answer.status] ?? "");
    return answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
  }

  /** Gets a new access token when the old one is about to end, or in any case. */
  async renew(user: User, inAnyCase = false): Promise<void> {
    const isGood = user.refresh === "" || user.expiry - renewBefore >= now();
    if (isGood && !inAnyCase) return;
    const form = { grant_type: "refresh_token", refresh_token: user.refresh };
    Object.assign(user, await this.#grant(form));
    this.#store.save();
  }

  /** The login that a person who came back from the forge brought along. */
  async redeem(
    code: string,
    redirect: string,
  ): Promise<Pick<User, "access" | "refresh" | "expiry">> {
    return await this.#grant({ grant_type: "authorization_code", code, redirect_uri: redirect });
  }

  async #grant(form: Readonly<Record<string, string>>) {
    const { forge, clientId, clientSecret } = this.#settings;
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
    const answer = await this.#send("POST", `${forge}/login/oauth/access_token`, {
      headers: { Authorization: `Basic ${basic}`, Accept: "application/json" },
      body: new URLSearchParams(form),
    });
    const said: unknown = await answer.json();
    if (answer.status > 299) throw new Error(refusalSchema.parse(said).error_description ?? "");
    const { access_token, refresh_token, expires_in } = grantSchema.parse(said);
    return { access: access_token, refresh: refresh_token, expiry: now() + expires_in };
  }

  async #send(method: string, url: string, more: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...more, method, redirect: "manual" });
    } catch (error) {
      // In Go's words.
      const verb = method.slice(0, 1) + method.slice(1).toLowerCase();
      throw new Error(`${verb} "${url}": ${goError(error, new URL(url))}`);
    }
  }
}

function goError(error: unknown, { hostname, host }: URL): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED") return `dial tcp ${host}: connect: connection refused`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `dial tcp: lookup ${hostname}: no such host`;
  }
  if (/CERT|SIGNATURE/.test(code)) {
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  }
  return "EOF";
}
