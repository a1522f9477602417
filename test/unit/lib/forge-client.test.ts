import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ForgeClient } from "../../../services/lib/forge/client.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";

const token = "a-token-that-nobody-may-see";
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A forge that answers by method and path, and what it was asked. */
async function serving(answers: Readonly<Record<string, readonly [number, unknown]>>) {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const what = `${incoming.method} ${incoming.url}`;
    asked.push(what);
    expect(incoming.headers.authorization).toBe(`token ${token}`);
    const [status, body] = answers[what] ?? [404, { message: "not found" }];
    outgoing.writeHead(status);
    outgoing.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ForgeClient({
    ...{ server: `http://127.0.0.1:${port}`, token },
    answerSeconds: 2,
  });
  return { client, asked };
}

const hooks = "/api/v1/repos/ci/cc-ci/hooks";
const hook = (id: number) => ({
  id,
  type: "gitea",
  config: { url: `https://a.example.org/${id}` },
});

describe("the hooks of a repository", () => {
  test("are read page by page, to the first empty one", async () => {
    const { client } = await serving({
      [`GET ${hooks}?page=1&limit=50`]: [200, [hook(1), hook(2)]],
      [`GET ${hooks}?page=2&limit=50`]: [200, [hook(3)]],
      [`GET ${hooks}?page=3&limit=50`]: [200, []],
    });
    const found = await client.hooks("ci/cc-ci");
    expect(found.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test("are removed one by one, and one that is gone is no trouble", async () => {
    const { client, asked } = await serving({ [`DELETE ${hooks}/1`]: [204, ""] });
    await client.removeHook("ci/cc-ci", 1);
    await client.removeHook("ci/cc-ci", 2);
    expect(asked).toEqual([`DELETE ${hooks}/1`, `DELETE ${hooks}/2`]);
  });
});

test.for<[string, readonly [number, unknown], string]>([
  ["a token of nobody", [401, { message: "invalid token" }], "token-refused"],
  ["a scope that is missing", [403, { message: "token does not have scope" }], "not-allowed"],
  ["a repository that it does not see", [404, { message: "not found" }], "not-found"],
  ["a proxy before a forge that is away", [502, "<html>"], "silent"],
  ["a proxy that knows of no forge", [404, "404 page not found"], "silent"],
  ["a limit of requests", [429, ""], "silent"],
  ["trouble of its own", [500, { message: "database is locked" }], "silent"],
  ["an answer of another shape", [200, { hooks: [] }], "broken"],
  ["an answer that is no JSON", [200, "<html>"], "broken"],
])("a forge that does not do it says why: %s", async ([, answer, trouble]) => {
  const { client } = await serving({ [`GET ${hooks}?page=1&limit=50`]: answer });
  const error = await client.hooks("ci/cc-ci").catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(ForgeRefusal);
  expect(error).toMatchObject({ trouble });
  expect((error as ForgeRefusal).message).not.toContain(token);
});
