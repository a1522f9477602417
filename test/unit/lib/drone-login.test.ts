import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { formOf, LoginRefusal, logIn } from "../../../services/lib/drone/login.ts";

interface Reply {
  readonly status?: number;
  readonly to?: string;
  readonly cookies?: readonly string[];
  readonly html?: string;
}

interface Asked {
  readonly what: string;
  readonly cookie: string;
  readonly body: URLSearchParams;
}

type Answer = (asked: Asked) => Reply | undefined;

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server of pages, its address, and what it was asked. */
async function serving(answer: Answer) {
  const asked: Asked[] = [];
  const server = createServer(async (incoming: IncomingMessage, outgoing) => {
    let body = "";
    for await (const part of incoming) body += String(part);
    const cookie = incoming.headers.cookie ?? "";
    const question = {
      what: `${incoming.method} ${incoming.url}`,
      ...{ cookie, body: new URLSearchParams(body) },
    };
    asked.push(question);
    const { status, to, cookies = [], html = "" } = answer(question) ?? { status: 404 };
    outgoing.writeHead(status ?? (to === undefined ? 200 : 303), {
      ...(to === undefined ? {} : { Location: to }),
      "Set-Cookie": [...cookies],
    });
    outgoing.end(html);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, asked };
}

const password = "a passphrase & more = 100%";

/** Drone and a forge as they are seen to be; each answer can be another. */
async function both({ forge: other, drone: otherDrone }: { forge?: Answer; drone?: Answer } = {}) {
  let droneAddress = "";
  let consented = false;
  const forge = await serving((asked) => {
    const reply = other?.(asked);
    if (reply !== undefined) return reply;
    const { what, cookie, body } = asked;
    if (what.startsWith("GET /login/oauth/authorize")) {
      if (!cookie.includes("session=in"))
        return { to: "/user/login", cookies: ["after=authorize"] };
      return consented
        ? { to: `${droneAddress}/login?code=c&state=s` }
        : {
            html: `<form method="post" action="/login/oauth/grant"><input type="hidden" name="client_id" value="id">
              <input type='hidden' name='state' value='s&#34;&amp;'><input type="hidden" name="redirect_uri" value="${droneAddress}/login">
              <button type="submit" name="granted" value="true">Authorize</button></form>`,
          };
    }
    if (what === "GET /user/login") {
      return { html: `<input type="hidden" name="_csrf" value="x"><input name="user_name">` };
    }
    if (what === "POST /user/login") {
      const isRight = body.get("user_name") === "ci-owner" && body.get("password") === password;
      // Gitea shows the form again for a wrong password.
      if (!isRight) return { html: "wrong" };
      return { to: "/login/oauth/authorize?client_id=id", cookies: ["session=in; HttpOnly"] };
    }
    if (what === "POST /login/oauth/grant") {
      consented = body.get("granted") === "true";
      return { to: `${droneAddress}/login?code=c&state=s` };
    }
    return undefined;
  });
  const drone = await serving((asked) => {
    const reply = otherDrone?.(asked);
    if (reply !== undefined) return reply;
    const { what, cookie } = asked;
    if (what === "GET /login") {
      const to = `${forge.address}/login/oauth/authorize?client_id=id&state=s`;
      return { to, cookies: ["_oauth_state_=s"] };
    }
    if (what.startsWith("GET /login?code=c")) {
      const isOurs = cookie.includes("_oauth_state_=s");
      return isOurs
        ? { to: "/", cookies: ["_session_=yes"] }
        : { to: "/login/error?message=state" };
    }
    return what.startsWith("GET /") ? { html: "the page" } : undefined;
  });
  droneAddress = drone.address;
  const credentials = { server: drone.address, forge: forge.address, login: "ci-owner", password };
  return { drone, forge, credentials };
}

async function troubleOf(login: Promise<void>): Promise<string> {
  const error = await login.then(() => new Error("it went well")).catch((error: unknown) => error);
  if (!(error instanceof LoginRefusal)) throw error;
  expect(error.message).not.toContain(password);
  return error.trouble;
}

describe("a login by password", () => {
  test("goes the way of a browser, with consent the first time and without later", async () => {
    const { forge, credentials } = await both();
    // when it logs in for the first time
    await logIn(credentials);
    // then the forge was given what its forms have, and consent
    const posted = () => forge.asked.filter(({ what }) => what.startsWith("POST"));
    expect(posted().map(({ body }) => Object.fromEntries(body))).toEqual([
      { _csrf: "x", user_name: "ci-owner", password },
      {
        ...{ client_id: "id", state: 's"&', granted: "true" },
        redirect_uri: `${credentials.server}/login`,
      },
    ]);
    // and the second time nobody is asked for consent
    await logIn(credentials);
    expect(posted()).toHaveLength(3);
  });

  test.for<[string, { forge?: Answer; drone?: Answer }, string]>([
    ["a forge that is away", { forge: () => ({ status: 502 }) }, "silent"],
    ["Drone that is away", { drone: () => ({ status: 404 }) }, "silent"],
    [
      "a second factor",
      {
        forge: ({ what }) =>
          what === "POST /user/login"
            ? { to: "/user/two_factor" }
            : what === "GET /user/two_factor"
              ? { html: "<input name=passcode>" }
              : undefined,
      },
      "person-wanted",
    ],
    [
      "closed registration",
      {
        drone: ({ what }) =>
          what.startsWith("GET /login?") ? { to: "/login/error?message=closed" } : undefined,
      },
      "refused",
    ],
    [
      "a forge that has no such client",
      {
        forge: ({ what, cookie }) =>
          what.startsWith("GET /login/oauth/authorize") && cookie.includes("session=in")
            ? { status: 400, html: "Client ID not registered" }
            : undefined,
      },
      "refused",
    ],
    [
      "Drone that leads to another forge",
      {
        drone: ({ what }) =>
          what === "GET /login" ? { to: "http://127.0.0.1:9/login" } : undefined,
      },
      "elsewhere",
    ],
    [
      "Drone that gives no session",
      { drone: ({ what }) => (what.startsWith("GET /login?") ? { to: "/" } : undefined) },
      "elsewhere",
    ],
    [
      "a forge that leads in circles",
      { forge: ({ what }) => ({ to: what.slice("GET ".length) }) },
      "elsewhere",
    ],
  ])("tells apart %s", async ([, answers, trouble]) => {
    const { credentials } = await both(answers);
    expect(await troubleOf(logIn(credentials))).toBe(trouble);
  });

  test("tells a wrong password, and sends it once", async () => {
    const { forge, credentials } = await both();
    const wrong = { ...credentials, password: `${password}!` };
    expect(await troubleOf(logIn(wrong))).toBe("password-refused");
    expect(forge.asked.filter(({ what }) => what === "POST /user/login")).toHaveLength(1);
  });

  test("sends the password to the forge alone", async () => {
    const { drone, credentials } = await both();
    await logIn(credentials);
    const sent = drone.asked
      .map(({ what, cookie, body }) => `${what} ${cookie} ${body}`)
      .join("\n");
    expect(decodeURIComponent(sent.replaceAll("+", " "))).not.toContain(password);
    expect(sent).not.toContain("session=in");
  });
});

test("of a page's inputs those are sent that nobody types in", () => {
  const html = `<input type="hidden" name="a" value="1&lt;2"><INPUT NAME=b TYPE=hidden VALUE=3>
    <input type="text" name="c" value="4"><input type="hidden" value="5"><input type="hidden" name="d">`;
  expect(Object.fromEntries(formOf(html))).toEqual({ a: "1<2", b: "3", d: "" });
});
