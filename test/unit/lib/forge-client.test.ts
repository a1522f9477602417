import { describe, expect, test } from "vitest";
import {
  type Answer,
  hooks,
  missingScope,
  refusalOf,
  repository,
  serving,
  sha,
  ten,
  time,
  told,
} from "./served-forge.ts";

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

const since = new Date("2026-01-05T10:00:07.999Z");

test("the account of a token is told", async () => {
  const { client } = await serving({
    "GET /api/v1/user": [200, { id: 5, login: "ci-bot", email: "x" }],
  });
  expect(await client.user()).toEqual({ id: 5, login: "ci-bot" });
});

describe("whether somebody is a member", () => {
  const path = "/api/v1/orgs/recipes/members/somebody";
  const elsewhere = "/api/v1/orgs/recipes/public_members/somebody";

  test.for<[string, Answer, string]>([
    ["a member", [204, ""], "member"],
    ["somebody else", [404, { message: "not found", errors: [] }], "none"],
    ["somebody of another name by now", [307, "", { location: elsewhere }], "none"],
    ["anybody, to who is no member", [303, "", { location: elsewhere }], "not-told"],
  ])("is told of %s", async ([, answer, expected]) => {
    // Given a place that says yes to who is sent there
    const { client, asked } = await serving({
      [`GET ${path}`]: answer,
      [`GET ${elsewhere}`]: [204, ""],
    });
    expect(await client.membership("recipes", "somebody")).toBe(expected);
    expect(asked).toEqual([`GET ${path}`]);
  });

  test.for<[string, Answer, string]>([
    ["a token of nobody", [401, { message: "token is required" }], "token-refused"],
    ["a scope that is missing", [403, missingScope], "token-refused"],
    ["a right that is missing", [403, { message: "must have admin rights" }], "not-allowed"],
    ["a proxy before a forge that is away", [502, "<html>"], "silent"],
    ["a proxy that knows of no forge", [404, "404 page not found"], "silent"],
    ["a proxy that wants a password", [302, "", { location: "/login" }], "silent"],
    ["a page that says yes to everything", [200, "<html>"], "silent"],
    ["an answer that is none of its own", [200, {}], "silent"],
    ["a limit of requests", [429, "", { "retry-after": "7" }], "silent"],
  ])("is not known of %s", async ([, answer, trouble]) => {
    const { client } = await serving({ [`GET ${path}`]: answer });
    expect(await refusalOf(client.membership("recipes", "somebody"))).toMatchObject({ trouble });
  });

  test("is asked by names that lead nowhere else", async () => {
    const { client, asked } = await serving({});
    expect(await client.membership("../../user", "a/b?c#d")).toBe("none");
    expect(asked).toEqual(["GET /api/v1/orgs/..%2F..%2Fuser/members/a%2Fb%3Fc%23d"]);
  });
});

test.for<[string, Answer, boolean | string]>([
  ["who is in it", [200, { id: 1, login: "somebody" }], true],
  ["who is not", [404, { message: "not found" }], false],
  ["who has another name by now", [307, "", { location: "/api/v1/teams/4/members/other" }], false],
  ["anybody, to who is not in it", [403, { message: "Must be a team member" }], "not-allowed"],
  ["anybody, to a token of nobody", [401, { message: "token is required" }], "token-refused"],
  ["anybody, by a proxy", [502, "<html>"], "silent"],
])("a team is told of %s", async ([, answer, expected]) => {
  const { client } = await serving({ "GET /api/v1/teams/4/members/somebody": answer });
  const told = client.isInTeam(4, "somebody");
  if (typeof expected === "boolean") expect(await told).toBe(expected);
  else expect(await refusalOf(told)).toMatchObject({ trouble: expected });
});

test("pull requests that moved are asked for by whole seconds, and page by page", async () => {
  const path =
    "GET /api/v1/repos/issues/search?owner=recipes&type=pulls&state=all&since=2026-01-05T10%3A00%3A07Z&page=2&limit=50";
  const pull = { number: 3, updated_at: time, repository: { full_name: "recipes/wiki", id: 1 } };
  const { client, asked } = await serving({ [path]: [200, [pull]] });
  expect(await client.movedPulls("recipes", since, { page: 2, limit: 50 })).toEqual([
    { number: 3, updatedAt: ten, repository: "recipes/wiki" },
  ]);
  expect(asked).toEqual([path]);
});

const comment = {
  ...{ id: 7, body: "!testme", user: { id: 11, login: "somebody" } },
  ...{ createdAt: ten, updatedAt: ten, pull: 3 },
};

describe("comments", () => {
  test("of a repository are asked for by whole seconds, and page by page", async () => {
    const path = `GET ${repository}/issues/comments?since=2026-01-05T10%3A00%3A07Z&page=1&limit=50`;
    const { client } = await serving({ [path]: [200, [told(), told({ id: 8, user: null })]] });
    expect(await client.comments("recipes/wiki", since, { page: 1, limit: 50 })).toEqual([
      comment,
      { ...comment, id: 8, user: null },
    ]);
  });

  test.for<[string, Answer, unknown]>([
    ["there", [200, told()], comment],
    ["on an issue", [200, told({ pull_request_url: "" })], { ...comment, pull: undefined }],
    [
      "on nothing that can be counted",
      [200, told({ pull_request_url: "https://git.example.org/recipes/wiki/pulls/3/files" })],
      { ...comment, pull: undefined },
    ],
    ["about a line of the change", [204, ""], undefined],
    ["gone", [404, { message: "not found" }], undefined],
  ])("are looked at one by one, such as one that is %s", async ([, answer, expected]) => {
    const { client } = await serving({ [`GET ${repository}/issues/comments/7`]: answer });
    expect(await client.comment("recipes/wiki", 7)).toEqual(expected);
  });

  test.for<[string, Answer, string]>([
    ["a proxy that knows of no forge", [404, "404 page not found"], "silent"],
    ["a token of nobody", [401, { message: "token is required" }], "token-refused"],
    ["no comment", [200, "null"], "broken"],
    ["a comment without a time", [200, told({ created_at: "yesterday" })], "broken"],
    ["a comment without a number", [200, told({ id: 0 })], "broken"],
  ])("are neither there nor gone by %s", async ([, answer, trouble]) => {
    const { client } = await serving({ [`GET ${repository}/issues/comments/7`]: answer });
    expect(await refusalOf(client.comment("recipes/wiki", 7))).toMatchObject({ trouble });
  });

  test("are posted, and edited", async () => {
    const { client, asked } = await serving({
      [`POST ${repository}/issues/3/comments`]: [201, { id: 20 }],
      [`PATCH ${repository}/issues/comments/20`]: [200, { id: 20 }],
    });
    expect(await client.postComment("recipes/wiki", 3, "an\nanswer")).toBe(20);
    await client.editComment("recipes/wiki", 20, "another");
    expect(asked).toEqual([
      [`POST ${repository}/issues/3/comments`, { body: "an\nanswer" }],
      [`PATCH ${repository}/issues/comments/20`, { body: "another" }],
    ]);
  });

  test.for<[string, Answer, string]>([
    ["gone", [404, { message: "not found" }], "not-found"],
    ["somebody else's", [403, { message: "Only comment author can edit" }], "not-allowed"],
    ["of an archive", [423, { message: "Repo is archived" }], "broken"],
  ])("are not edited where they are %s", async ([, answer, trouble]) => {
    const { client } = await serving({ [`PATCH ${repository}/issues/comments/20`]: answer });
    expect(await refusalOf(client.editComment("recipes/wiki", 20, "x"))).toMatchObject({
      ...{ trouble, status: answer[0] },
    });
  });

  test("are known to be posted only where their number is told", async () => {
    const { client } = await serving({ [`POST ${repository}/issues/3/comments`]: [201, "{}"] });
    const refused = await refusalOf(client.postComment("recipes/wiki", 3, "x"));
    expect(refused.trouble).toBe("broken");
  });
});

describe("reactions", () => {
  const path = `${repository}/issues/comments/7/reactions`;

  test.each([200, 201])("are given, whether or not they were there: %i", async (status) => {
    const { client, asked } = await serving({ [`POST ${path}`]: [status, {}] });
    await client.react("recipes/wiki", 7, "eyes");
    expect(asked).toEqual([[`POST ${path}`, { content: "eyes" }]]);
  });

  test.for<[string, Answer]>([
    ["there", [204, ""]],
    ["gone", [404, { message: "not found" }]],
  ])("are taken back where they are %s", async ([, answer]) => {
    const { client, asked } = await serving({ [`DELETE ${path}`]: answer });
    await client.unreact("recipes/wiki", 7, "eyes");
    expect(asked).toEqual([[`DELETE ${path}`, { content: "eyes" }]]);
  });

  test("are refused where their author blocks us, or there is no such one", async () => {
    const blocked: Answer = [403, { message: "user is blocked" }];
    const { client } = await serving({ [`POST ${path}`]: blocked, [`DELETE ${path}`]: blocked });
    for (const question of [
      client.react("recipes/wiki", 7, "eyes"),
      client.unreact("recipes/wiki", 7, "eyes"),
    ]) {
      expect(await refusalOf(question)).toMatchObject({ trouble: "not-allowed", status: 403 });
    }
  });
});

describe("a pull request", () => {
  const pull = (changes: Readonly<Record<string, unknown>> = {}) => ({
    ...{ number: 3, state: "open", created_at: time, merged: false },
    base: { ref: "next", repo: { full_name: "recipes/wiki", default_branch: "main" } },
    head: { ref: "change", sha, repo: { full_name: "recipes/wiki" } },
    ...changes,
  });
  const expected = {
    ...{ number: 3, isOpen: true, createdAt: ten, head: sha, base: "recipes/wiki" },
    ...{ isForeign: false, into: "next", mainBranch: "main" },
  };

  test.for<[string, unknown, unknown]>([
    ["of the repository", pull(), expected],
    ["that is closed", pull({ state: "closed" }), { ...expected, isOpen: false }],
    [
      "of a fork",
      pull({ head: { ref: "change", sha, repo: { full_name: "somebody/wiki" } } }),
      { ...expected, isForeign: true },
    ],
    [
      "that anybody pushed without a branch",
      pull({ head: { ref: "refs/pull/3/head", sha, repo: { full_name: "recipes/wiki" } } }),
      { ...expected, isForeign: true },
    ],
    [
      "of a fork that is gone",
      pull({ head: { ref: "refs/pull/3/head", sha, repo: null } }),
      { ...expected, isForeign: true },
    ],
  ])("is read: one %s", async ([, answer, read]) => {
    const { client } = await serving({ [`GET ${repository}/pulls/3`]: [200, answer] });
    expect(await client.pull("recipes/wiki", 3)).toEqual(read);
  });

  test.for<[string, unknown]>([
    ["that has no commit", ""],
    ["of which the commit is no commit", "`@all` | x"],
    ["of a repository of SHA-256", sha.padEnd(64, "0")],
  ])("is none of ours: one %s", async ([, other]) => {
    const answer = pull({ head: { ref: "x", sha: other, repo: null } });
    const { client } = await serving({ [`GET ${repository}/pulls/3`]: [200, answer] });
    expect(await refusalOf(client.pull("recipes/wiki", 3))).toMatchObject({ trouble: "broken" });
  });

  test("has what happened to it read page by page, with the newest commit of each push", async () => {
    const path = `GET ${repository}/issues/3/timeline`;
    const event = (id: number, type: string, body: string) => ({
      id,
      type,
      created_at: time,
      body,
    });
    const commits = [sha.replaceAll("0", "1"), sha];
    const push = JSON.stringify({ is_force_push: false, commit_ids: commits });
    const answer = [
      event(1, "pull_push", push),
      event(2, "comment", push),
      ...["", "{}", "[", '{"commit_ids":[]}', '{"commit_ids":["x"]}'].map((body) =>
        event(3, "pull_push", body),
      ),
    ];
    const { client } = await serving({
      [`${path}?page=1&limit=50`]: [200, answer],
      [`${path}?page=2&limit=50`]: [200, null],
    });
    expect(await client.eventsOf("recipes/wiki", 3, { page: 1, limit: 50 })).toEqual([
      { id: 1, type: "pull_push", createdAt: ten, pushed: sha },
      { id: 2, type: "comment", createdAt: ten, pushed: undefined },
      ...Array(5).fill({ id: 3, type: "pull_push", createdAt: ten, pushed: undefined }),
    ]);
    expect(await client.eventsOf("recipes/wiki", 3, { page: 2, limit: 50 })).toEqual([]);
  });
});

test("a branch is at a commit, whatever its name is", async () => {
  const path = "GET /api/v1/repos/ci/cc-ci/branches/feature%2Fx%3Fy";
  const { client } = await serving({ [path]: [200, { name: "feature/x?y", commit: { id: sha } }] });
  expect(await client.branchHead("ci/cc-ci", "feature/x?y")).toBe(sha);
});

test.for<[string, unknown, string | undefined]>([
  ["is told", [{ ref: "refs/pull/3/head", object: { sha } }], sha],
  ["is not of another one", [{ ref: "refs/pull/3/header", object: { sha } }], undefined],
  ["may not be there", [], undefined],
])("what can be fetched of a pull request %s", async ([, refs, expected]) => {
  const { client } = await serving({ [`GET ${repository}/git/refs/pull/3/head`]: [200, refs] });
  expect(await client.pullHead("recipes/wiki", 3)).toBe(expected);
});

test.for<[number, number]>([
  [30, 30],
  [50, 50],
  [1000, 50],
])("a page of a forge that gives %i has %i, and it is asked once", async ([most, expected]) => {
  const { client, asked } = await serving({
    "GET /api/v1/settings/api": [200, { max_response_items: most, default_paging_num: 30 }],
  });
  expect(await client.largestPage()).toBe(expected);
  expect(await client.largestPage()).toBe(expected);
  expect(asked).toHaveLength(1);
});

test.for<[string, Answer, boolean]>([
  ["may", [404, { message: "not found" }], true],
  ["may not", [403, { message: "token does not have at least one of required scope(s)" }], false],
])("a token that %s comment is known without a comment", async ([, answer, expected]) => {
  const { client, asked } = await serving({ [`PATCH ${repository}/issues/comments/0`]: answer });
  expect(await client.mayComment("recipes/wiki")).toBe(expected);
  expect(asked).toEqual([[`PATCH ${repository}/issues/comments/0`, { body: "" }]]);
});
