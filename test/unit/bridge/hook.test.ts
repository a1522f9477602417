import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Headers, headersFor, payload, previousHookKey, pushed, signed } from "./delivery.ts";
import { chunked, lastChunk, mebibyte, requestHead } from "./raw-http.ts";
import { type Outcome, servedPages } from "./served-pages.ts";

const pages = servedPages();

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
      headersFor(body, { "x-gitea-signature": signed(body, previousHookKey) }),
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
    expect(await pages().post(text, headers)).toEqual(taken);
    expect(pages().nudges).toMatchObject([
      { repository: "recipes/wiki", kind: "comment", number: 7 },
    ]);
    expect(pages().rings).toBe(1);
  });

  test("of a push to a pull request", async () => {
    const text = pushed();
    const headers = headersFor(text, { "x-gitea-event": "pull_request" });
    expect(await pages().post(text, headers)).toEqual(taken);
    expect(pages().nudges).toMatchObject([{ repository: "recipes/wiki", kind: "push", number: 3 }]);
  });

  test("of a megabyte, and as a stream without a length", async () => {
    const filled = payload({ issue: { body: "" } });
    const large = payload({ issue: { body: "x".repeat(mebibyte - filled.length) } });
    expect(large).toHaveLength(mebibyte);
    expect(await pages().post(large, headersFor(large))).toEqual(taken);
    const parts = [large.slice(0, 70_000), large.slice(70_000)];
    expect(
      await pages().exchange(
        requestHead(headersFor(large), undefined),
        ...chunked(parts),
        lastChunk,
      ),
    ).toMatch(/^HTTP\/1\.1 202 /);
  });

  test("with parts that nobody looks at, however deep they are", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const text = body.replace('"sender":', `"issue":${deep},"__proto__":{"action":"x"},"sender":`);
    expect(await pages().post(text, headersFor(text))).toEqual(taken);
  });
});

describe("a delivery is turned away", () => {
  const changed = (changes: Readonly<Record<string, string | undefined>>): [string, Headers] => [
    body,
    headersFor(body, changes),
  ];
  const of = (text: string): [string, Headers] => [text, headersFor(text)];
  const signature = signed(body);

  test.for<readonly [string, readonly [string, Headers], Outcome]>([
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
    expect(await pages().post(text, headers)).toEqual(expected);
    expect(pages().nudges).toEqual([]);
    expect(pages().rings).toBe(0);
  });

  test("that is no UTF-8", async () => {
    const [before = "", after = ""] = body.split("somebody");
    const bytes = new Uint8Array([...Buffer.from(before), 0xff, 0xfe, ...Buffer.from(after)]);
    expect(await pages().post(bytes, headersFor(bytes))).toEqual(notJson);
  });

  test("whatever signs it, where there is no key", async () => {
    await pages().serve({ keys: [] });
    expect(
      await pages().post(body, headersFor(body, { "x-gitea-signature": signed(body, "") })),
    ).toEqual(notSigned);
  });
});

describe("a delivery is heard and left alone", () => {
  const pullRequest = { "x-gitea-event": "pull_request" };

  test.for<readonly [string, string, Readonly<Record<string, string | undefined>>, Outcome]>([
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
    expect(await pages().post(text, headersFor(text, changes))).toEqual(expected);
    expect(pages().nudges).toEqual([]);
  });
});

test("each delivery counts, by what came of it", async () => {
  await pages().post(body, headersFor(body));
  await pages().post(body, headersFor(body));
  await pages().post(body, headersFor(body, { "x-gitea-signature": "" }));
  const text = await pages().metrics.registry.metrics();
  expect(text).toContain('cc_ci_bridge_deliveries_total{result="taken"} 2');
  expect(text).toContain('cc_ci_bridge_deliveries_total{result="not-signed"} 1');
});

test.for(["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])("the hook takes no %s", async (method) => {
  const answer = await fetch(`${pages().url}/hook`, {
    ...{ method, headers: headersFor(body), ...(method === "GET" ? {} : { body }) },
  });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("POST");
  expect(pages().nudges).toEqual([]);
});

test("there is no hook where the forge is asked", async () => {
  await pages().serve({ mode: "poll" });
  const answer = await fetch(`${pages().url}/hook`, {
    ...{ method: "POST", body, headers: headersFor(body) },
  });
  expect(answer.status).toBe(404);
  expect(pages().nudges).toEqual([]);
});
