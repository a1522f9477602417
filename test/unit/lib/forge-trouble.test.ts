import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { pauseOf, troubleOf } from "../../../services/lib/forge/trouble.ts";
import {
  type Answer,
  clientOf,
  hooks,
  missingScope,
  refusalOf,
  repository,
  serving,
  ten,
  told,
} from "./served-forge.ts";

test.for<[string, readonly [number, unknown], string]>([
  ["a token of nobody", [401, { message: "invalid token" }], "token-refused"],
  ["a scope that is missing", [403, missingScope], "token-refused"],
  ["a right that is missing", [403, { message: "must have admin rights" }], "not-allowed"],
  ["a repository that it does not see", [404, { message: "not found" }], "not-found"],
  ["a proxy before a forge that is away", [502, "<html>"], "silent"],
  ["a proxy that knows of no forge", [404, "404 page not found"], "silent"],
  ["a limit of requests", [429, ""], "silent"],
  ["trouble of its own", [500, { message: "database is locked" }], "silent"],
  ["an answer of another shape", [200, { hooks: [] }], "broken"],
  ["an answer that is no JSON", [200, "<html>"], "broken"],
])("a forge that does not do it says why: %s", async ([, answer, trouble]) => {
  const { client } = await serving({ [`GET ${hooks}?page=1&limit=50`]: answer });
  expect(await refusalOf(client.hooks("ci/cc-ci"))).toMatchObject({ trouble });
});

describe("when it wants to be asked again", () => {
  const now = new Date("2026-01-05T10:00:00Z");

  test.for<[string | null, number | undefined]>([
    [null, undefined],
    ["0", 0],
    ["120", 120],
    ["999999999", 3600],
    ["Mon, 05 Jan 2026 10:02:00 GMT", 120],
    ["Mon, 05 Jan 2026 09:59:00 GMT", 0],
    ["Tue, 05 Jan 2027 10:00:00 GMT", 3600],
    ["", undefined],
    ["soon", undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["1e3", undefined],
  ])("is read: %j", ([header, expected]) => {
    expect(pauseOf(header, now)).toBe(expected);
  });

  test.for<[string, Answer]>([
    ["of the forge", [503, { message: "busy" }, { "retry-after": "7" }]],
    ["of a proxy", [429, "<html>", { "retry-after": "7" }]],
  ])("comes along with a no %s", async ([, answer]) => {
    const { client } = await serving({ "GET /api/v1/user": answer });
    expect(await refusalOf(client.user())).toMatchObject({
      ...{ trouble: "silent", status: answer[0], retryAfterSeconds: 7 },
    });
  });

  test("is kept, whatever is asked for, and then it is asked again", async () => {
    const { client, asked } = await serving({
      "GET /api/v1/user": [429, "", { "retry-after": "1" }],
      [`GET ${repository}/pulls/3`]: [200, {}],
    });
    await refusalOf(client.user());
    for (const question of [client.user(), client.pull("recipes/wiki", 3)]) {
      const refused = await refusalOf(question);
      expect(refused).toMatchObject({ trouble: "silent", status: 429 });
      expect(refused.retryAfterSeconds).toBeGreaterThan(0);
      expect(refused.retryAfterSeconds).toBeLessThanOrEqual(1);
    }
    expect(asked).toHaveLength(1);
    await sleep(1100);
    await refusalOf(client.pull("recipes/wiki", 3));
    expect(asked).toHaveLength(2);
  });

  test("is not known where it does not say", async () => {
    const { client } = await serving({ "GET /api/v1/user": [503, { message: "busy" }] });
    expect((await refusalOf(client.user())).retryAfterSeconds).toBeUndefined();
  });
});

describe("what is sent elsewhere", () => {
  test.for<[string, string, string]>([
    ["on the forge has moved", "/api/v1/repos/recipes/other/pulls/3", "moved"],
    ["to somebody else is not of the forge", "https://login.example.org/api/v1/", "silent"],
    ["to a page of the same host is not of the forge", "/user/login", "silent"],
    ["to no place is not of the forge", "http://", "silent"],
  ])("%s", async ([, location, trouble]) => {
    const answer: Answer = [301, "<a>Moved Permanently</a>", { location }];
    const { client } = await serving({
      [`GET ${repository}/pulls/3`]: answer,
      [`GET ${repository}/issues/comments/7`]: answer,
    });
    expect(await refusalOf(client.pull("recipes/wiki", 3))).toMatchObject({ trouble });
    expect(await refusalOf(client.comment("recipes/wiki", 7))).toMatchObject({ trouble });
  });
});

test.each([
  [400, "broken"],
  [401, "token-refused"],
  [403, "not-allowed"],
  [404, "not-found"],
  [409, "broken"],
  [422, "broken"],
  [423, "broken"],
  [429, "silent"],
  [500, "silent"],
  [502, "silent"],
  [503, "silent"],
  [504, "silent"],
])("a no of %i is trouble of the kind %s", (status, trouble) => {
  expect(troubleOf(status)).toBe(trouble);
});

describe("an answer", () => {
  test("that is too much at once is no trouble of the forge's", async () => {
    const long = JSON.stringify([told({ body: "x".repeat(17 * 1024 * 1024) })]);
    const path = `GET ${repository}/issues/comments?since=2026-01-05T10%3A00%3A07Z&page=1&limit=50`;
    const { client } = await serving({ [path]: [200, long] });
    const page = { page: 1, limit: 50 };
    const refused = await refusalOf(client.comments("recipes/wiki", ten, page));
    expect(refused).toMatchObject({ trouble: "too-long", status: 0 });
  });

  test("that does not come is a silence", async () => {
    const server = createServer(() => undefined);
    const client = await clientOf(server, { answerSeconds: 0.2 });
    expect(await refusalOf(client.user())).toMatchObject({ trouble: "silent", status: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const gone = await refusalOf(client.user());
    expect(gone).toMatchObject({ trouble: "silent", status: 0 });
    expect(gone.message).toContain("ECONNREFUSED");
  });

  test.each(["wiki", "recipes/wiki/x", "recipes/..", "../wiki", "recipes/wi ki", ""])(
    "is never asked for of a repository that is none: %j",
    async (slug) => {
      const { client, asked } = await serving({});
      await expect(client.pull(slug, 3)).rejects.toThrow();
      expect(asked).toEqual([]);
    },
  );
});
