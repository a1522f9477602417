import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { DroneRefusal } from "../../../services/lib/drone/trouble.ts";
import type { RunRequest } from "../../../services/lib/run.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const place = { repository: "ci/cc-ci", branch: "main", commit };
const request: RunRequest = {
  ...{ id: "00112233445566aa", recipe: "wiki", repository: "recipes/wiki", pull: 7 },
  ...{ commit: "f".repeat(40), quick: true },
};
const token = "a-token-that-nobody-may-see";

/** A build as the answer to a start has it. */
function build(more: Readonly<Record<string, unknown>> = {}) {
  return {
    ...{ id: 1, number: 12, status: "pending", event: "custom", after: commit, link: "x" },
    ...{ created: 1_790_000_000, started: 0, finished: 0, params: { CCCI_ID: request.id } },
    ...more,
  };
}

interface Reply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection in the middle of the answer. */
  readonly cut?: boolean;
  /** Says nothing. */
  readonly silent?: boolean;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that gives these answers one after the other, and what it was asked. */
async function serving(...replies: readonly Reply[]) {
  const asked: { method: string; path: string; query: URLSearchParams; body: string }[] = [];
  const left = [...replies];
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    let body = "";
    for await (const part of incoming) body += String(part);
    const url = new URL(incoming.url ?? "", "http://x");
    asked.push({
      ...{ method: incoming.method ?? "", path: url.pathname, query: url.searchParams, body },
    });
    expect(incoming.headers.authorization).toBe(`Bearer ${token}`);
    const { status = 200, json, text, headers = {}, cut, silent } = left.shift() ?? { status: 418 };
    if (silent) return;
    const content = text ?? JSON.stringify(json);
    outgoing.writeHead(status, { "Content-Type": "application/json", ...headers });
    if (!cut) return void outgoing.end(content);
    outgoing.write(content.slice(0, 5), () => outgoing.destroy());
  };
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new DroneClient({
    ...{ server: `http://127.0.0.1:${port}`, token, answerSeconds: 1 },
  });
  return { client, asked };
}

/** What a call is refused with. */
async function refusalOf(call: Promise<unknown>): Promise<DroneRefusal> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DroneRefusal)) throw error;
  expect(error.message).not.toContain(token);
  return error;
}

describe("a start", () => {
  test("hands over the parameters of the request, the branch and the whole commit, and no more", async () => {
    const { client, asked } = await serving({ json: build() });
    expect(await client.start(place, request)).toMatchObject({
      ...{ as: "started", build: { number: 12, stages: [], started: null } },
    });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /api/repos/ci/cc-ci/builds",
    ]);
    expect(Object.fromEntries(asked[0]?.query ?? [])).toEqual({
      ...{ branch: "main", commit, CCCI_ID: request.id, CCCI_RECIPE: "wiki" },
      ...{ CCCI_REPOSITORY: "recipes/wiki", CCCI_PULL: "7", CCCI_COMMIT: request.commit },
      CCCI_QUICK: "true",
    });
  });

  test.for<[string, Reply, unknown]>([
    ["no trigger fits", { json: null }, { as: "not-triggered" }],
    [
      "the pipeline is no YAML",
      { json: build({ status: "error", error: "yaml: line 3" }) },
      { as: "config-wrong", build: { error: "yaml: line 3" } },
    ],
    [
      "there is no pipeline",
      { status: 500, json: { message: "Not Found" } },
      { as: "config-missing" },
    ],
    [
      "it is another commit",
      { json: build({ after: "e".repeat(40) }) },
      { as: "other-commit", build: { number: 12 } },
    ],
    [
      "Drone has trouble of its own",
      { status: 500, json: { message: "database is locked" } },
      { as: "unknown", reason: "database is locked" },
    ],
    ["the proxy answers", { status: 502, text: "Bad Gateway" }, { as: "unknown" }],
    ["the proxy knows of no Drone", { status: 404, text: "404 page not found" }, { as: "unknown" }],
    ["the answer is cut short", { json: build(), cut: true }, { as: "unknown" }],
    ["the answer is no JSON", { text: "<html>" }, { as: "unknown" }],
    ["the answer is of another shape", { json: { number: "12" } }, { as: "unknown" }],
  ])("comes to an end of its own when %s", async ([, reply, end]) => {
    const { client, asked } = await serving(reply);
    expect(await client.start(place, request)).toMatchObject(end as object);
    expect(asked, "it is not asked a second time").toHaveLength(1);
  });

  test("of which nothing is known is found by the id of its request", async () => {
    const others = Array.from({ length: 100 }, (_, at) => build({ number: 200 - at, params: {} }));
    const { client, asked } = await serving(
      ...[{ json: build(), cut: true }, { json: others }, { json: [build()] }],
    );
    expect(await client.start(place, request)).toMatchObject({ as: "unknown" });
    expect(await client.buildOf(place.repository, request.id)).toMatchObject({ number: 12 });
    expect(asked.slice(1).map(({ query }) => Object.fromEntries(query))).toEqual([
      { page: "1", per_page: "100" },
      { page: "2", per_page: "100" },
    ]);
  });

  test("is none that was made where nobody listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const client = new DroneClient({ server: `http://127.0.0.1:${port}`, token });
    const { trouble, wasSent } = await refusalOf(client.start(place, request));
    expect({ trouble, wasSent }).toEqual({ trouble: "silent", wasSent: false });
  });

  test("is refused before it is sent when the request is none", async () => {
    const { client, asked } = await serving({ json: build() });
    const wrong = { ...request, recipe: "a b" };
    await expect(client.start(place, wrong)).rejects.toThrow("must be the name of a recipe");
    expect(asked).toEqual([]);
  });
});

describe("an answer that says no", () => {
  test.for<[string, Reply, string]>([
    ["a token of nobody", { status: 401, json: { message: "Unauthorized" } }, "token-refused"],
    ["a right that is not given", { status: 403, json: { message: "Forbidden" } }, "not-allowed"],
    ["an unknown name", { status: 404, json: { message: "sql: no rows" } }, "not-found"],
    ["an unknown commit", { status: 404, json: { message: "Not Found" } }, "not-found"],
    ["a dead login", { status: 404, json: { message: "Unauthorized" } }, "login-dead"],
    ["a proxy before a forge", { status: 404, json: { message: "Bad Gateway" } }, "forge-silent"],
    [
      "a login that cannot be renewed",
      { status: 404, json: { message: "unauthorized_client: grant does not exist" } },
      "login-dead",
    ],
    [
      "a login that nobody renewed in time",
      { status: 404, json: { message: "unable to parse refresh token" } },
      "login-dead",
    ],
    [
      "an OAuth client that the forge does not know",
      { status: 404, json: { message: 'cannot load client with client id: "x"' } },
      "client-refused",
    ],
    [
      "an OAuth client with another secret",
      { status: 500, json: { message: "invalid client secret" } },
      "client-refused",
    ],
    [
      "a login that died before a sync",
      { status: 500, json: { message: "Unauthorized" } },
      "login-dead",
    ],
    [
      "a forge that is down",
      {
        status: 404,
        json: {
          message: 'Get "http://x/api": dial tcp 192.0.2.1:3000: connect: connection refused',
        },
      },
      "forge-silent",
    ],
    ["trouble of its own", { status: 500, json: { message: "disk I/O error" } }, "broken"],
    ["a proxy without Drone", { status: 404, text: "404 page not found" }, "silent"],
    ["a proxy that reaches no Drone", { status: 504, text: "Gateway Timeout" }, "silent"],
    [
      "a way to somewhere else",
      { status: 303, text: "", headers: { Location: "/login" } },
      "silent",
    ],
    ["an answer that ends in the middle", { json: {}, cut: true }, "silent"],
    ["an answer that does not come", { silent: true }, "late"],
  ])("is told apart: %s", async ([, reply, trouble]) => {
    const { client } = await serving(reply);
    expect((await refusalOf(client.repository(place.repository))).trouble).toBe(trouble);
  });

  test("is none that comes where nobody listens", async () => {
    const client = new DroneClient({ server: "http://127.0.0.1:1", token, answerSeconds: 1 });
    const { trouble, message } = await refusalOf(client.user());
    expect(trouble).toBe("silent");
    expect(message).toContain("127.0.0.1:1: ");
  });

  test("to a log is an empty one, of a step that did not run", async () => {
    const { client } = await serving(
      { status: 404, json: { message: "sql: no rows" } },
      { json: [{ pos: 0, out: "+ true\n", time: 0 }] },
      { json: null },
    );
    expect(await client.log(place.repository, 12, 1, 3)).toEqual([]);
    expect(await client.log(place.repository, 12, 1, 1)).toEqual(["+ true\n"]);
    expect(await client.log(place.repository, 12, 1, 1)).toEqual([]);
  });
});

test.for(["ci", "ci/a/b", "../x", "ci/..", "ci/a?b", "ci/a b", ""])(
  "%j is no repository to ask about",
  async (slug) => {
    const { client, asked } = await serving({ json: {} });
    await expect(client.repository(slug)).rejects.toThrow("write it as owner/name");
    expect(asked).toEqual([]);
  },
);

test("a build has its stages and steps, with times", async () => {
  const steps = [{ number: 1, name: "clone", status: "killed", exit_code: 137 }];
  const stages = [
    {
      number: 1,
      name: "run",
      status: "killed",
      machine: "host",
      started: 1_790_000_001,
      updated: 0,
      steps,
    },
  ];
  const { client } = await serving({ json: build({ status: "killed", stages }) });
  const found = await client.build(place.repository, 12);
  expect(found.created).toEqual(new Date(1_790_000_000_000));
  expect(found.stages).toMatchObject([{ machine: "host", error: "", steps }]);
});

test("a repository's settings go out as they are given", async () => {
  const repository = {
    ...{
      slug: "ci/cc-ci",
      user_id: 1,
      active: true,
      visibility: "public",
      config_path: "out/h/drone.yml",
    },
    ...{ trusted: false, protected: false, ignore_forks: true, ignore_pull_requests: true },
    timeout: 90,
  };
  const { client, asked } = await serving({ json: repository });
  expect(await client.change("ci/cc-ci", { timeout: 90 })).toEqual(repository);
  expect(asked[0]).toMatchObject({ method: "PATCH", body: '{"timeout":90}' });
});
