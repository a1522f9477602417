import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { now } from "../environment.ts";
import { log } from "../log.ts";
import type { User } from "../records.ts";
import type { World } from "./server.ts";
import { sync } from "./sync.ts";
import { newToken, newUser } from "./users.ts";

/** A login later than this after the last sync brings the next one about, in seconds. */
const syncPeriod = 7 * 24 * 3600;

const personSchema = z.object({ login: z.string(), avatar_url: z.string().default("") });

/** `/login`: to the forge, and back from it. */
export async function signIn(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<void> {
  const { settings } = world;
  const redirect = `${settings.proto}://${settings.host}/login`;
  const goTo = (where: string): void => void response.writeHead(303, { Location: where }).end();
  const refuse = (words: string): void => {
    goTo(`/login/error?${new URLSearchParams({ message: words })}`);
  };
  const refusal = query.get("error");
  if (refusal !== null) return refuse(refusal);
  const code = query.get("code");
  if (code === null) {
    const state = randomBytes(16).toString("hex");
    response.appendHeader("Set-Cookie", `_oauth_state_=${state}; Max-Age=1800`);
    // Without any scope: the forge gives all that the person may do.
    const asked = { client_id: settings.clientId, redirect_uri: redirect, response_type: "code" };
    const form = new URLSearchParams({ ...asked, state });
    return goTo(`${settings.forge}/login/oauth/authorize?${form}`);
  }
  response.appendHeader("Set-Cookie", "_oauth_state_=; Max-Age=0");
  if (query.get("state") !== cookieOf(request, "_oauth_state_")) {
    return refuse("Invalid or missing state");
  }
  let user: User | string;
  try {
    user = await welcome(world, code, redirect);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (typeof user === "string") return refuse(user);
  response.appendHeader(
    "Set-Cookie",
    `_session_=${signed(user.login, settings.cookieSecret)}; Path=/; HttpOnly; SameSite=lax`,
  );
  goTo(user.email === "" ? "/register" : "/");
}

/** The account of whoever comes back from the forge, or why there is none. */
async function welcome(world: World, code: string, redirect: string): Promise<User | string> {
  const { forge, settings, store } = world;
  const grant = await forge.redeem(code, redirect);
  const person = personSchema.parse(await forge.askAs(grant.access, "GET", "user"));
  let user = store.userCalled(person.login);
  if (user === undefined) {
    if (settings.isClosed) {
      log("error", "cannot admit user: User registration is disabled", { login: person.login });
      return "User registration is disabled";
    }
    const token = newToken();
    user = newUser(store, { login: person.login, admin: false, machine: false, token });
    store.data.users.push(user);
  }
  if (user.machine) return "Machine account login is forbidden";
  Object.assign(user, grant, { avatar: person.avatar_url, last_login: now() });
  store.save();
  if (user.synced + syncPeriod < now()) {
    // Drone goes on without waiting for it; what comes of it, nobody is told.
    sync(forge, store, user).catch(() => {});
  }
  return user;
}

/** Whose session a request belongs to. */
export function sessionOf({ settings, store }: World, request: IncomingMessage): User | undefined {
  const cookie = cookieOf(request, "_session_") ?? "";
  const login = Buffer.from(cookie.split(".")[0] ?? "", "base64url").toString();
  const expected = Buffer.from(signed(login, settings.cookieSecret));
  const given = Buffer.from(cookie);
  const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
  return isOurs ? store.userCalled(login) : undefined;
}

function signed(login: string, secret: string): string {
  const mac = createHmac("sha256", secret).update(login).digest("base64url");
  return `${Buffer.from(login).toString("base64url")}.${mac}`;
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const cookies = (request.headers.cookie ?? "").split(/;\s*/);
  return cookies.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}
