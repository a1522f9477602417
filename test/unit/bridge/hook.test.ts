import { createHmac } from "node:crypto";
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { NudgeBox } from "../../../services/bridge/listen/nudge-box.ts";
import { listen, metricsPages, publicPages } from "../../../services/bridge/listen/servers.ts";
import { isSigned } from "../../../services/bridge/listen/signature.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import { Health } from "../../../services/bridge/telemetry/health.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";
import { makeScratch } from "../../scratch.ts";
import { bridgeSettings } from "./settings.ts";

/** At which all is due. */
const whenever = { now: 0, longest: 0 };

const key = "the-key-of-the-hook";
const previousKey = "the-key-before-it";

const mebibyte = 1024 * 1024;

let scratch = "";
let records: Records;
let health: Health;
let metrics: Metrics;
let port = 0;
let ending: AbortController;
let rings = 0;
const log = { error: vi.fn() };

beforeEach(async () => {
  scratch = makeScratch();
  records = new Records(join(scratch, "bridge.sqlite"));
  health = new Health({ settings: bridgeSettings, now: Date.now, unreadable: () => 0 });
  health.unfit = undefined;
  metrics = new Metrics(records, () => undefined);
  ending = new AbortController();
  rings = 0;
  port = await serve({});
});

afterEach(() => {
  ending.abort();
  records.close();
  rmSync(scratch, { recursive: true, force: true });
});

interface Served {
  readonly keys?: readonly string[];
  readonly mode?: "poll" | "webhook";
  readonly mostConnections?: number;
  readonly requestMilliseconds?: number;
}

/** The pages that the proxy may lead to. @returns their port */
async function serve({ keys = [key, previousKey], mode = "webhook", ...limits }: Served) {
  const box = new NudgeBox(records, () => {
    rings += 1;
  });
  const hook = mode === "poll" ? undefined : { keys, recipes: ["recipes/wiki", "recipes/x"], box };
  const pages = publicPages({ health, metrics, log, hook });
  return await listen(pages, 0, { signal: ending.signal, ...limits });
}

/** What the forge sends of a comment, as far as it is looked at. */
const payload = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    ...{ action: "created", is_pull: true, comment: { id: 7, body: "!testme" } },
    ...{ repository: { id: 1, full_name: "recipes/wiki" }, sender: { login: "somebody" } },
    ...changes,
  });

/** What it sends of a push to a pull request. */
const pushed = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    ...{ action: "synchronized", number: 3, repository: { id: 1, full_name: "recipes/wiki" } },
    ...changes,
  });

const signed = (body: string | Uint8Array, by = key): string =>
  createHmac("sha256", by).update(body).digest("hex");

type Headers = Readonly<Record<string, string>>;

/** The headers of a delivery, with some changed, or left out where they are undefined. */
function headersFor(
  body: string | Uint8Array,
  changes: Readonly<Record<string, string | undefined>> = {},
): Headers {
  const all = {
    "content-type": "application/json",
    "x-gitea-event": "issue_comment",
    "x-gitea-event-type": "pull_request_comment",
    "x-gitea-signature": signed(body),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

interface Answer {
  readonly status: number;
  readonly result: string;
}

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Headers): Promise<Answer> {
  // Bytes have no type of their own, of which one would be made where none is given.
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const answer = await fetch(`http://127.0.0.1:${port}/hook`, {
    ...{ method: "POST", body: bytes, headers },
  });
  const { result } = z.object({ result: z.string() }).parse(await answer.json());
  return { status: answer.status, result };
}

const taken = { status: 202, result: "taken" };
const notSigned = { status: 401, result: "not-signed" };
const wrongType = { status: 415, result: "wrong-type" };
const notJson = { status: 400, result: "not-json" };
const anotherShape = { status: 400, result: "another-shape" };
const ignored = { status: 202, result: "ignored" };
const anotherEvent = { status: 202, result: "another-event" };

const body = payload();

describe("a delivery is taken", () => {
  test.for<readonly [string, string, Headers]>([
    ["as the forge sends it", body, headersFor(body)],
    [
      "signed by the key before",
      body,
      headersFor(body, { "x-gitea-signature": signed(body, previousKey) }),
    ],
    [
      "signed in upper case",
      body,
      headersFor(body, { "x-gitea-signature": signed(body).toUpperCase() }),
    ],
    [
      "of a Forgejo",
      body,
      headersFor(body, {
        ...{ "x-gitea-event": undefined, "x-gitea-signature": undefined },
        ...{ "x-forgejo-event": "issue_comment", "x-forgejo-signature": signed(body) },
      }),
    ],
    [
      "with a set of characters",
      body,
      headersFor(body, { "content-type": "application/json; charset=utf-8" }),
    ],
    ["with its type in upper case", body, headersFor(body, { "content-type": "Application/JSON" })],
    [
      "of a forge that does not say that it is a pull request",
      payload({ is_pull: undefined }),
      headersFor(payload({ is_pull: undefined })),
    ],
    [
      "with the name of its repository in upper case",
      payload({ repository: { full_name: "Recipes/WIKI" } }),
      headersFor(payload({ repository: { full_name: "Recipes/WIKI" } })),
    ],
  ])("%s", async ([, text, headers]) => {
    expect(await post(text, headers)).toEqual(taken);
    expect(records.cursors.nudges(10, whenever)).toMatchObject([
      { repository: "recipes/wiki", kind: "comment", number: 7 },
    ]);
    expect(rings).toBe(1);
  });

  test("of a push to a pull request", async () => {
    const text = pushed();
    const headers = headersFor(text, { "x-gitea-event": "pull_request" });
    expect(await post(text, headers)).toEqual(taken);
    expect(records.cursors.nudges(10, whenever)).toMatchObject([
      { repository: "recipes/wiki", kind: "push", number: 3 },
    ]);
  });

  test("of a megabyte, and as a stream without a length", async () => {
    const filled = payload({ issue: { body: "" } });
    const large = payload({ issue: { body: "x".repeat(mebibyte - filled.length) } });
    expect(large).toHaveLength(mebibyte);
    expect(await post(large, headersFor(large))).toEqual(taken);
    const parts = [large.slice(0, 70_000), large.slice(70_000)];
    expect(
      await exchange(requestHead(headersFor(large), undefined), ...chunked(parts), lastChunk),
    ).toMatch(/^HTTP\/1\.1 202 /);
  });

  test("with parts that nobody looks at, however deep they are", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const text = body.replace('"sender":', `"issue":${deep},"__proto__":{"action":"x"},"sender":`);
    expect(await post(text, headersFor(text))).toEqual(taken);
  });
});

describe("a delivery is turned away", () => {
  const changed = (changes: Readonly<Record<string, string | undefined>>): [string, Headers] => [
    body,
    headersFor(body, changes),
  ];
  const of = (text: string): [string, Headers] => [text, headersFor(text)];
  const signature = signed(body);

  test.for<readonly [string, readonly [string, Headers], Answer]>([
    ["without a signature", changed({ "x-gitea-signature": undefined }), notSigned],
    [
      "with an empty signature, as a hook without a secret has it",
      changed({ "x-gitea-signature": "" }),
      notSigned,
    ],
    [
      "with a signature of another key",
      changed({ "x-gitea-signature": signed(body, "another") }),
      notSigned,
    ],
    [
      "with a signature of another body",
      changed({ "x-gitea-signature": signed(`${body} `) }),
      notSigned,
    ],
    [
      "with a signature of no key",
      changed({ "x-gitea-signature": createHmac("sha256", "").update(body).digest("hex") }),
      notSigned,
    ],
    [
      "with a signature that says how it was made",
      changed({ "x-gitea-signature": `sha256=${signature}` }),
      notSigned,
    ],
    [
      "with a signature that was cut",
      changed({ "x-gitea-signature": signature.slice(1) }),
      notSigned,
    ],
    ["with a signature and more", changed({ "x-gitea-signature": `${signature}00` }), notSigned],
    [
      "with two signatures",
      changed({ "x-gitea-signature": `${signature}, ${signature}` }),
      notSigned,
    ],
    [
      "with a signature of other signs",
      changed({ "x-gitea-signature": "g".repeat(64) }),
      notSigned,
    ],
    [
      "with a signature of another header",
      changed({ "x-gitea-signature": undefined, "x-hub-signature-256": `sha256=${signature}` }),
      notSigned,
    ],
    [
      "with a good signature behind a wrong one",
      changed({ "x-forgejo-signature": "0".repeat(64) }),
      notSigned,
    ],
    ["as a form", changed({ "content-type": "application/x-www-form-urlencoded" }), wrongType],
    ["as text", changed({ "content-type": "text/plain" }), wrongType],
    [
      "as another kind of JSON",
      changed({ "content-type": "application/json-patch+json" }),
      wrongType,
    ],
    ["without a type", changed({ "content-type": undefined }), wrongType],
    ["with nothing in it", of(""), notJson],
    ["that is no JSON", of("payload=%7B%7D"), notJson],
    ["that is cut short", of(body.slice(0, -1)), notJson],
    ["that is two", of(`${body}${body}`), notJson],
    ["that is as deep as it is long", of("[".repeat(500_000)), notJson],
    ["that is nothing", of("null"), anotherShape],
    ["that is a list", of("[]"), anotherShape],
    [
      "that is a list as deep as it is long",
      of(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
      anotherShape,
    ],
    ["that is a number", of("1e999"), anotherShape],
    ["that is a word", of('"created"'), anotherShape],
    ["that says nothing", of("{}"), anotherShape],
    ["without a comment", of(payload({ comment: undefined })), anotherShape],
    ["with a comment that is none", of(payload({ comment: null })), anotherShape],
    ["with a number that is a word", of(payload({ comment: { id: "7" } })), anotherShape],
    ["with a number below all", of(payload({ comment: { id: -7 } })), anotherShape],
    ["with no number", of(payload({ comment: { id: 0 } })), anotherShape],
    ["with a part of a number", of(payload({ comment: { id: 1.5 } })), anotherShape],
    [
      "with a number that is too large to be whole",
      of(body.replace('"id":7', '"id":9007199254740993')),
      anotherShape,
    ],
    [
      "with a number that is larger than any",
      of(body.replace('"id":7', '"id":1e400')),
      anotherShape,
    ],
    ["with a repository that is a word", of(payload({ repository: "recipes/wiki" })), anotherShape],
    [
      "with a word for whether it is a pull request",
      of(payload({ is_pull: "false" })),
      anotherShape,
    ],
  ])("%s", async ([, [text, headers], expected]) => {
    expect(await post(text, headers)).toEqual(expected);
    expect(records.cursors.nudges(10, whenever)).toEqual([]);
    expect(rings).toBe(0);
  });

  test("that is no UTF-8", async () => {
    const [before = "", after = ""] = body.split("somebody");
    const bytes = new Uint8Array([...Buffer.from(before), 0xff, 0xfe, ...Buffer.from(after)]);
    expect(await post(bytes, headersFor(bytes))).toEqual(notJson);
  });

  test("whatever signs it, where there is no key", async () => {
    port = await serve({ keys: [] });
    expect(await post(body, headersFor(body, { "x-gitea-signature": signed(body, "") }))).toEqual(
      notSigned,
    );
  });
});

describe("a delivery is heard and left alone", () => {
  const pullRequest = { "x-gitea-event": "pull_request" };

  test.for<readonly [string, string, Readonly<Record<string, string | undefined>>, Answer]>([
    ["of another event", body, { "x-gitea-event": "push" }, anotherEvent],
    ["of no event", body, { "x-gitea-event": undefined }, anotherEvent],
    ["of another event that is no JSON", "{", { "x-gitea-event": "push" }, anotherEvent],
    ["of an edit", payload({ action: "edited" }), {}, ignored],
    ["of a removal", payload({ action: "deleted" }), {}, ignored],
    ["of a pull request's label", pushed({ action: "label_updated" }), pullRequest, ignored],
    [
      "of a push to a repository that does not count",
      pushed({ repository: { full_name: "recipes/other" } }),
      pullRequest,
      ignored,
    ],
    ["of an issue", payload({ is_pull: false }), {}, ignored],
    [
      "of a repository that does not count",
      payload({ repository: { full_name: "recipes/other" } }),
      {},
      ignored,
    ],
    [
      "of a repository with a longer name",
      payload({ repository: { full_name: "recipes/wiki2" } }),
      {},
      ignored,
    ],
    [
      "of a repository of the same name elsewhere",
      payload({ repository: { full_name: "evil/wiki" } }),
      {},
      ignored,
    ],
  ])("%s", async ([, text, changes, expected]) => {
    expect(await post(text, headersFor(text, changes))).toEqual(expected);
    expect(records.cursors.nudges(10, whenever)).toEqual([]);
  });
});

test("each delivery counts, by what came of it", async () => {
  await post(body, headersFor(body));
  await post(body, headersFor(body));
  await post(body, headersFor(body, { "x-gitea-signature": "" }));
  const text = await metrics.registry.metrics();
  expect(text).toContain('cc_ci_bridge_deliveries_total{result="taken"} 2');
  expect(text).toContain('cc_ci_bridge_deliveries_total{result="not-signed"} 1');
});

test.for(["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])("the hook takes no %s", async (method) => {
  const answer = await fetch(`http://127.0.0.1:${port}/hook`, {
    ...{ method, headers: headersFor(body), ...(method === "GET" ? {} : { body }) },
  });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("POST");
  expect(records.cursors.nudges(10, whenever)).toEqual([]);
});

test("there is no hook where the forge is asked", async () => {
  port = await serve({ mode: "poll" });
  const answer = await fetch(`http://127.0.0.1:${port}/hook`, {
    ...{ method: "POST", body, headers: headersFor(body) },
  });
  expect(answer.status).toBe(404);
  expect(records.cursors.nudges(10, whenever)).toEqual([]);
});

test.for<readonly [string, string, readonly string[], boolean]>([
  ["by its key", signed("abc"), [key], true],
  ["by the second of two keys", signed("abc"), [previousKey, key], true],
  ["by another key", signed("abc"), [previousKey], false],
  ["where there is no key", signed("abc"), [], false],
  ["with a line break at its end", `${signed("abc")}\n`, [key], false],
  ["with a blank before it", ` ${signed("abc")}`, [key], false],
  ["with nothing", "", [key], false],
])("bytes are signed or not %s", ([, signature, keys, expected]) => {
  expect(isSigned(Buffer.from("abc"), signature, keys)).toBe(expected);
});

describe("what is too large", () => {
  const tooLarge = /^HTTP\/1\.1 413 [\s\S]*\{"result":"too-large"\}/;
  const one = Buffer.alloc(mebibyte + 1, "x");

  test("is turned away by its length alone, before any of it came", async () => {
    const head = requestHead(headersFor(""), 50_000_000_000);
    expect(await exchange(head)).toMatch(tooLarge);
  });

  test("is turned away one byte above the limit, with a length and without", async () => {
    const headers = headersFor(one);
    expect(await exchange(requestHead(headers, one.length), one)).toMatch(tooLarge);
    expect(await exchange(requestHead(headers, undefined), ...chunked([one]), lastChunk)).toMatch(
      tooLarge,
    );
  });

  test("is turned away where its sender waits to be told to go on", async () => {
    const head = requestHead({ ...headersFor(one), expect: "100-continue" }, 5 * mebibyte);
    expect(await exchange(head)).toMatch(/^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 413 /);
  });

  test("takes no memory, however much and often it comes", async () => {
    // Connections are closed a little later than they are left: these are not what is looked at here.
    port = await serve({ mostConnections: 1000 });
    const five = Buffer.alloc(5 * mebibyte, "x");
    const headers = headersFor("");
    const send = async (index: number): Promise<string> =>
      index % 2 === 0
        ? await exchange(requestHead(headers, five.length), five)
        : await exchange(requestHead(headers, undefined), ...chunked([five]), lastChunk);
    const before = process.memoryUsage().rss;
    for (let index = 0; index < 200; index += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, nth) => send(index + nth)));
      // Who still sends when it is hung up on may lose the answer.
      for (const answer of answers) if (answer !== "") expect(answer).toMatch(tooLarge);
    }
    const counted = await metrics.registry.metrics();
    expect(counted).toContain('cc_ci_bridge_deliveries_total{result="too-large"} 200');
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * mebibyte);
    expect(await post(body, headersFor(body))).toEqual(taken);
  });
});

describe("who sends slowly", () => {
  test.for<readonly [string, readonly (string | Buffer)[]]>([
    ["nothing at all", []],
    ["the half of a head", ["POST /hook HTTP/1.1\r\nHost: a\r\n"]],
    ["the half of a body", [requestHead(headersFor(body), 100), "{"]],
    ["the half of a part", [requestHead(headersFor(body), undefined), "5\r\n{"]],
    ["all parts but the last", [requestHead(headersFor(body), undefined), ...chunked([body])]],
  ])("is hung up on after %s", async ([, parts]) => {
    port = await serve({ requestMilliseconds: 400 });
    expect(await untilClosed(...parts)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("is hung up on though there always is a little more", async () => {
    port = await serve({ requestMilliseconds: 400 });
    const socket = connect(port, "127.0.0.1");
    const closed = received(socket);
    socket.write(requestHead(headersFor(body), 1000));
    const drip = setInterval(() => socket.write("x"), 50);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  test("and goes away is nothing to be told of", async () => {
    const told = vi.spyOn(console, "error");
    for (const length of [1000, undefined]) {
      const socket = connect(port, "127.0.0.1");
      socket.write(requestHead(headersFor(body), length));
      socket.write(length === undefined ? "5\r\n{" : "{");
      await sleep(50);
      socket.destroy();
    }
    await vi.waitFor(async () => {
      const text = await metrics.registry.metrics();
      expect(text).toContain('cc_ci_bridge_deliveries_total{result="cut-short"} 2');
    });
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
  });

  test("keeps nobody else waiting, and holds little memory", async () => {
    port = await serve({ mostConnections: 32 });
    const before = process.memoryUsage().rss;
    const almost = Buffer.alloc(mebibyte - 1, "x");
    const sockets = Array.from({ length: 31 }, () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(requestHead(headersFor(""), mebibyte));
      socket.write(almost);
      return socket;
    });
    await Promise.all(sockets.map((socket) => drained(socket)));
    expect(await post(body, headersFor(body))).toEqual(taken);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * mebibyte);
    for (const socket of sockets) socket.destroy();
  });
});

test("there are no more connections at once than may be", async () => {
  port = await serve({ mostConnections: 2 });
  const held = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  for (const socket of held) socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("data", resolve))));
  expect(await exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).toBe("");
  for (const socket of held) socket.destroy();
});

describe("a connection", () => {
  test("may ask for several things at once, and has the answers in their order", async () => {
    const signedBody = `${requestHead(headersFor(body), body.length)}${body}`;
    const wrong = `${requestHead(headersFor(body, { "x-gitea-signature": "" }), body.length)}${body}`;
    const health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    const last = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const text = await untilClosed(signedBody + wrong + health + signedBody + last);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      ...["202", "401", "200", "202", "404"],
    ]);
    expect(records.cursors.nudges(10, whenever)).toHaveLength(1);
  });

  test.for<readonly [string, string, string]>([
    ["speaks something else", "\u0016\u0003\u0001\u0002\u0000\u0001", "400"],
    ["names no host", "GET / HTTP/1.1\r\n\r\n", "400"],
    ["names a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"],
    ["asks for no path", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["asks for a path with a backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", "400"],
    ["asks for a file", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "404"],
    [
      "has a head without end",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(40_000)}\r\n\r\n`,
      "431",
    ],
    [
      "has two lengths",
      "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
      "400",
    ],
    [
      "has a length and parts",
      "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400",
    ],
    [
      "has a length that is none",
      "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "400",
    ],
  ])("that %s is told so", async ([, text, status]) => {
    expect(await exchange(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await post(body, headersFor(body))).toEqual(taken);
  });
});

describe("health", () => {
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    return { status: answer.status, body: await answer.json() };
  };

  test("is good where all is", async () => {
    expect(await ask()).toEqual({ status: 200, body: { ok: true, problems: [] } });
  });

  test("is bad where our account can do nothing, and good again later", async () => {
    health.unfit = "the account is no member";
    expect(await ask()).toEqual({
      ...{ status: 503, body: { ok: false, problems: ["the account is no member"] } },
    });
    health.unfit = undefined;
    expect((await ask()).status).toBe(200);
  });
});

test("metrics are there for who is inside alone, and the hook for who is outside", async () => {
  const inside = await listen(metricsPages({ metrics, health }), 0, { signal: ending.signal });
  const status = async (at: number, path: string, method = "GET") =>
    (await fetch(`http://127.0.0.1:${at}${path}`, { method })).status;
  expect(await status(port, "/")).toBe(200);
  expect(await status(port, "/metrics")).toBe(404);
  expect(await status(inside, "/hook", "POST")).toBe(404);
  const answer = await fetch(`http://127.0.0.1:${inside}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=/);
  expect(await answer.text()).toContain("\ncc_ci_bridge_commands_waiting 0\n");
  expect(await status(inside, "/healthz")).toBe(200);
});

test("a port that is taken is an error, and no silence", async () => {
  await expect(
    listen(publicPages({ health, metrics, log, hook: undefined }), port),
  ).rejects.toThrow("EADDRINUSE");
});

describe("what we were told of", () => {
  const told = (number: number) => ({
    ...{ repository: "recipes/wiki", kind: "comment" as const, number },
  });

  test("is all there, each once, and is written down at once", async () => {
    const together = vi.spyOn(records, "together");
    const seen: number[] = [];
    const box = new NudgeBox(records, () =>
      seen.push(records.cursors.nudges(100, whenever).length),
    );
    const numbers = [...Array.from({ length: 50 }, (_, index) => index + 1), 7, 7, 50];
    await Promise.all(numbers.map((number) => box.add(told(number))));
    expect(records.cursors.nudges(100, whenever).map(({ number }) => number)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    expect(together).toHaveBeenCalledTimes(1);
    // Whoever is woken finds all of it.
    expect(seen).toEqual([50]);
    together.mockRestore();
  });

  test("while that is told of is there too", async () => {
    const more: Promise<void>[] = [];
    const box: NudgeBox = new NudgeBox(records, () => {
      if (more.length < 3) more.push(box.add(told(10 + more.length)));
    });
    await box.add(told(1));
    while (more.length < 3) await Promise.all(more);
    await Promise.all(more);
    expect(records.cursors.nudges(10, whenever).map(({ number }) => number)).toEqual([
      1, 10, 11, 12,
    ]);
  });

  test("and cannot be written down is said to each who waits, and nobody is woken", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const other = new DatabaseSync(join(scratch, "bridge.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    // Given somebody else who writes
    const box = new NudgeBox(records, () => {
      rings += 1;
    });
    const add = (number: number) => box.add(told(number));
    const came = await Promise.allSettled([add(1), add(2), add(3)]);
    expect(came.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(rings).toBe(0);
    // and the forge is told so,
    expect(await post(body, headersFor(body))).toEqual({ status: 503, result: "not-noted" });
    // when they have ended, then it goes on as if nothing had been
    other.exec("COMMIT");
    other.close();
    await add(4);
    expect(await post(body, headersFor(body))).toEqual(taken);
    expect(records.cursors.nudges(10, whenever).map(({ number }) => number)).toEqual([4, 7]);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

/** The head of a delivery. @param length of its body; undefined where it comes in parts */
function requestHead(headers: Headers, length: number | undefined): string {
  const framing = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return ["POST /hook HTTP/1.1", "host: a", framing, ...lines, "", ""].join("\r\n");
}

function chunked(parts: readonly (string | Buffer)[]): readonly (string | Buffer)[] {
  return parts.flatMap((part) => [`${Buffer.byteLength(part).toString(16)}\r\n`, part, "\r\n"]);
}

const lastChunk = "0\r\n\r\n";

/** Sends all that, and waits for an answer, or for the end without one. */
async function exchange(...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const closed = received(socket);
  for (const part of parts) socket.write(part);
  let text = "";
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      // The one that only tells to go on is none.
      if (/^HTTP\/1\.1 [2-5][\s\S]*\r\n\r\n/m.test(text)) resolve();
    });
  });
  await Promise.race([answered, closed]);
  socket.destroy();
  return text;
}

/** Sends all that, and waits until the other side hangs up. */
async function untilClosed(...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const closed = received(socket);
  for (const part of parts) socket.write(part);
  return await closed;
}

/** All that comes until the other side hangs up. */
async function received(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  // Who is hung up on while it sends hears so.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  return text;
}

/** Until all was handed on that was written. */
async function drained(socket: Socket): Promise<void> {
  while (socket.writableLength > 0) await sleep(10);
}
