import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { headersFor, payload } from "./delivery.ts";
import { chunked, drained, lastChunk, mebibyte, received, requestHead } from "./raw-http.ts";
import { servedPages } from "./served-pages.ts";

const pages = servedPages();

const taken = { status: 202, result: "taken" };

const body = payload();

describe("what is too large", () => {
  const tooLarge = /^HTTP\/1\.1 413 [\s\S]*\{"result":"too-large"\}/;
  const one = Buffer.alloc(mebibyte + 1, "x");

  test("is turned away by its length alone, before any of it came", async () => {
    const head = requestHead(headersFor(""), 50_000_000_000);
    expect(await pages().exchange(head)).toMatch(tooLarge);
  });

  test("is turned away one byte above the limit, with a length and without", async () => {
    const headers = headersFor(one);
    expect(await pages().exchange(requestHead(headers, one.length), one)).toMatch(tooLarge);
    expect(
      await pages().exchange(requestHead(headers, undefined), ...chunked([one]), lastChunk),
    ).toMatch(tooLarge);
  });

  test("is turned away where its sender waits to be told to go on", async () => {
    const head = requestHead({ ...headersFor(one), expect: "100-continue" }, 5 * mebibyte);
    expect(await pages().exchange(head)).toMatch(/^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 413 /);
  });

  test("takes no memory, however much and often it comes", async () => {
    // Connections are closed a little later than they are left: these are not what is looked at here.
    await pages().serve({ mostConnections: 1000 });
    const five = Buffer.alloc(5 * mebibyte, "x");
    const headers = headersFor("");
    const send = async (index: number): Promise<string> =>
      index % 2 === 0
        ? await pages().exchange(requestHead(headers, five.length), five)
        : await pages().exchange(requestHead(headers, undefined), ...chunked([five]), lastChunk);
    const before = process.memoryUsage().rss;
    for (let index = 0; index < 200; index += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, nth) => send(index + nth)));
      // Who still sends when it is hung up on may lose the answer.
      for (const answer of answers) if (answer !== "") expect(answer).toMatch(tooLarge);
    }
    const counted = await pages().metrics.registry.metrics();
    expect(counted).toContain('cc_ci_bridge_deliveries_total{result="too-large"} 200');
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * mebibyte);
    expect(await pages().post(body, headersFor(body))).toEqual(taken);
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
    await pages().serve({ requestMilliseconds: 400 });
    expect(await pages().untilClosed(...parts)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("is hung up on though there always is a little more", async () => {
    await pages().serve({ requestMilliseconds: 400 });
    const socket = pages().connect();
    const closed = received(socket);
    socket.write(requestHead(headersFor(body), 1000));
    const drip = setInterval(() => socket.write("x"), 50);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  test("and goes away is nothing to be told of", async () => {
    const told = vi.spyOn(console, "error");
    for (const length of [1000, undefined]) {
      const socket = pages().connect();
      socket.write(requestHead(headersFor(body), length));
      socket.write(length === undefined ? "5\r\n{" : "{");
      await sleep(50);
      socket.destroy();
    }
    await vi.waitFor(async () => {
      const text = await pages().metrics.registry.metrics();
      expect(text).toContain('cc_ci_bridge_deliveries_total{result="cut-short"} 2');
    });
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
  });

  test("keeps nobody else waiting, and holds little memory", async () => {
    await pages().serve({ mostConnections: 32 });
    const before = process.memoryUsage().rss;
    const almost = Buffer.alloc(mebibyte - 1, "x");
    const sockets = Array.from({ length: 31 }, () => {
      const socket = pages().connect();
      socket.on("error", () => undefined);
      socket.write(requestHead(headersFor(""), mebibyte));
      socket.write(almost);
      return socket;
    });
    await Promise.all(sockets.map((socket) => drained(socket)));
    expect(await pages().post(body, headersFor(body))).toEqual(taken);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * mebibyte);
    for (const socket of sockets) socket.destroy();
  });
});

test("there are no more connections at once than may be", async () => {
  await pages().serve({ mostConnections: 2 });
  const held = [pages().connect(), pages().connect()];
  for (const socket of held) socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("data", resolve))));
  expect(await pages().exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).toBe("");
  for (const socket of held) socket.destroy();
});

describe("a connection", () => {
  test("may ask for several things at once, and has the answers in their order", async () => {
    const signedBody = `${requestHead(headersFor(body), body.length)}${body}`;
    const wrong = `${requestHead(headersFor(body, { "x-gitea-signature": "" }), body.length)}${body}`;
    const health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    const last = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const text = await pages().untilClosed(signedBody + wrong + health + signedBody + last);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      ...["202", "401", "200", "202", "404"],
    ]);
    expect(pages().nudges).toHaveLength(1);
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
    expect(await pages().exchange(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await pages().post(body, headersFor(body))).toEqual(taken);
  });
});

describe("health", () => {
  const ask = async () => {
    const answer = await fetch(`${pages().url}/healthz`);
    return { status: answer.status, body: await answer.json() };
  };

  test("is good where all is", async () => {
    expect(await ask()).toEqual({ status: 200, body: { ok: true, problems: [] } });
  });

  test("is bad where our account can do nothing, and good again later", async () => {
    pages().health.unfit = "the account is no member";
    expect(await ask()).toEqual({
      ...{ status: 503, body: { ok: false, problems: ["the account is no member"] } },
    });
    pages().health.unfit = undefined;
    expect((await ask()).status).toBe(200);
  });
});

test("metrics are there for who is inside alone, and the hook for who is outside", async () => {
  const inside = await pages().serveMetrics();
  const status = async (at: number, path: string, method = "GET") =>
    (await fetch(`http://127.0.0.1:${at}${path}`, { method })).status;
  expect(await status(pages().port, "/")).toBe(200);
  expect(await status(pages().port, "/metrics")).toBe(404);
  expect(await status(inside, "/hook", "POST")).toBe(404);
  const answer = await fetch(`http://127.0.0.1:${inside}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=/);
  expect(await answer.text()).toContain("\ncc_ci_bridge_commands_waiting 0\n");
  expect(await status(inside, "/healthz")).toBe(200);
});

test("a port that is taken is an error, and no silence", async () => {
  await expect(pages().serve({ port: pages().port })).rejects.toThrow("EADDRINUSE");
});
