import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const marker = "<!-- cc-ci: what the next switch does -->";

interface Comment {
  readonly id: number;
  body: string;
}

/** The comments of one pull request, as a forge serves them. */
interface Forge {
  readonly comments: Comment[];
  readonly requests: string[];
  /** Comments on a page; Gitea ignores pages and gives all of them each time. */
  readonly pageSize: number | undefined;
  /** Status of any write, when it is not the usual one. */
  readonly writeStatus?: number;
  /** Ids of comments that are somebody else's. */
  readonly foreign?: readonly number[];
}

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function serve(forge: Forge): Promise<string> {
  const listening = createServer(async (request, response) => {
    const { method = "", url = "" } = request;
    const { pathname, searchParams } = new URL(url, "http://localhost");
    forge.requests.push(`${method} ${pathname}`);
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.headers.authorization !== "token secret") return answer(401, {});
    if (method === "GET") {
      const start =
        forge.pageSize === undefined ? 0 : (Number(searchParams.get("page")) - 1) * forge.pageSize;
      return answer(
        200,
        forge.comments.slice(start, start + (forge.pageSize ?? Number.POSITIVE_INFINITY)),
      );
    }
    const { body } = JSON.parse(await text(request)) as { body: string };
    if (forge.writeStatus !== undefined) return answer(forge.writeStatus, {});
    if (method === "POST") {
      forge.comments.push({ id: forge.comments.length + 1000, body });
      return answer(201, {});
    }
    const id = Number(pathname.split("/").at(-1));
    if (forge.foreign?.includes(id)) return answer(403, {});
    const comment = forge.comments.find((candidate) => candidate.id === id);
    if (comment === undefined) return answer(404, {});
    comment.body = body;
    return answer(200, {});
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function keepComment(url: string, input: string) {
  return await execa(join(root, "bin/node24"), [".github/keep-comment.ts"], {
    cwd: root,
    input,
    reject: false,
    env: {
      GITHUB_API_URL: url,
      GITHUB_REPOSITORY: "coop/cc-ci",
      GITHUB_TOKEN: "secret",
      PULL_REQUEST: "7",
    },
  });
}

test("the first run writes a comment, the second one edits it", async () => {
  // given a pull request with more comments of others than fit on a page
  const others = Array.from({ length: 5 }, (_, id) => ({ id, body: `hello ${marker}` }));
  const forge: Forge = { comments: [...others], requests: [], pageSize: 2 };
  const url = await serve(forge);
  // when the text is kept twice
  expect((await keepComment(url, "first")).exitCode).toBe(0);
  expect((await keepComment(url, "second")).exitCode).toBe(0);
  // then there is one comment of ours, with the second text
  expect(forge.comments.slice(5)).toEqual([{ id: 1005, body: `${marker}\nsecond\n` }]);
  expect(forge.requests.filter((line) => !line.startsWith("GET"))).toEqual([
    "POST /repos/coop/cc-ci/issues/7/comments",
    "PATCH /repos/coop/cc-ci/issues/comments/1005",
  ]);
});

test("a forge that gives every comment on every page ends the search", async () => {
  const forge: Forge = {
    comments: [{ id: 1, body: "hello" }],
    requests: [],
    pageSize: undefined,
  };
  const { exitCode } = await keepComment(await serve(forge), "text");
  expect(exitCode).toBe(0);
  expect(forge.requests.map((line) => line.split(" ")[0])).toEqual(["GET", "GET", "POST"]);
});

test("a token that may not comment prints the text and is no failure", async () => {
  const forge: Forge = { comments: [], requests: [], pageSize: 2, writeStatus: 403 };
  const { exitCode, stdout } = await keepComment(await serve(forge), "what happens");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("what happens");
  expect(stdout).toContain("No comment was written");
});

test("a comment of somebody else that begins like ours is left alone", async () => {
  const forge: Forge = {
    comments: [{ id: 3, body: `${marker}\nmine!` }],
    requests: [],
    pageSize: 2,
    foreign: [3],
  };
  await keepComment(await serve(forge), "text");
  expect(forge.comments.map(({ body }) => body)).toEqual([`${marker}\nmine!`, `${marker}\ntext\n`]);
});

test("a text that is too long for a comment is cut, and says so", async () => {
  const forge: Forge = { comments: [], requests: [], pageSize: 2 };
  await keepComment(await serve(forge), "x".repeat(70_000));
  expect(forge.comments[0]?.body.length).toBe(65_000);
  expect(forge.comments[0]?.body).toMatch(/\(cut here: .*\)\n$/);
});

test("a forge that fails is a failure", async () => {
  const forge: Forge = { comments: [], requests: [], pageSize: 2, writeStatus: 500 };
  const { exitCode, stderr } = await keepComment(await serve(forge), "text");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("cannot write the comment: 500");
});
