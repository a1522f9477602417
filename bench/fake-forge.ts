import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A forge for the bridge's bench, as a process of its own: as much of a Gitea's API as the bridge asks for, with
 * answers of about the same size, and as little work as possible. Prints its port.
 *
 * `/control` is for who measures: how much was asked and when, and how many comments there are from now on.
 */

/** Of the backlog: repositories, and pull requests and comments in each. */
const repositories = 20;
const pullsEach = 10;
const mostPage = 50;

const organisation = "recipes";
const bot = { id: 1, login: "ci-bot" };
const member = { id: 2, login: "member" };
const stranger = { id: 3, login: "stranger" };

let backlog = { comments: 0, at: "2026-01-01T10:00:00Z" };
const asked = { requests: 0, first: 0, lastPost: 0, posts: 0 };

/** What one of these has beside what is read, in letters. */
const padding = { user: 500, comment: 600, pull: 3000 } as const;

function userOf(user: { readonly id: number; readonly login: string }) {
  return { ...user, full_name: "", email: "", avatar_url: "x".repeat(padding.user) };
}

function commentOf(
  id: number,
  { repository, pull }: { readonly repository: string; readonly pull: number },
  user: { readonly id: number; readonly login: string },
  body: string,
  at: string,
) {
  return {
    ...{ id, body, user: userOf(user), created_at: at, updated_at: at, issue_url: "" },
    pull_request_url: `http://forge.invalid/${repository}/pulls/${pull}`,
    html_url: "x".repeat(padding.comment),
  };
}

/** One comment in a hundred asks for something. */
function backlogComment(repository: string, index: number, number: number) {
  const id = 1_000_000 + index * 100_000 + number;
  const place = { repository, pull: (number % pullsEach) + 1 };
  const isCommand = number % 100 === 0;
  const talk = "I have tried this on my own server, and it starts. ".repeat(6);
  return commentOf(id, place, member, isCommand ? "!testme help" : talk, backlog.at);
}

const started = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();

function answer(method: string, url: URL, body: string): readonly [number, unknown] {
  const path = url.pathname;
  if (path === "/api/v1/user") return [200, userOf(bot)];
  if (path.startsWith(`/api/v1/orgs/${organisation}/members/`)) {
    return path.endsWith(`/${stranger.login}`) ? [404, { message: "Not Found" }] : [204, undefined];
  }
  if (path === "/api/v1/settings/api") return [200, { max_response_items: mostPage }];
  if (path === "/api/v1/repos/issues/search") return [200, pageOf(url, movedPulls(url))];
  const found = /^\/api\/v1\/repos\/([^/]+\/recipe-(\d+))\/issues\/(.*)$/.exec(path);
  if (found === null) return [404, { message: "Not Found" }];
  const [, repository = "", index = "", rest = ""] = found;
  if (rest === "comments") {
    const isThere = sinceOf(url) <= Date.parse(backlog.at);
    const all = isThere ? backlog.comments / repositories : 0;
    const numbers = Array.from({ length: all }, (_, number) => number);
    const page = pageOf(url, numbers);
    return [200, page.map((number) => backlogComment(repository, Number(index), number))];
  }
  const id = Number(/^comments\/(\d+)$/.exec(rest)?.[1] ?? 0);
  if (id >= 1_000_000) {
    return [200, backlogComment(repository, Number(index), id % 100_000)];
  }
  if (id > 0) return [200, commentOf(id, { repository, pull: 1 }, stranger, "!testme", started)];
  if (method === "POST" && rest.endsWith("/reactions")) return [201, {}];
  if (method === "POST" && body !== "") {
    asked.posts += 1;
    asked.lastPost = Date.now();
    return [201, { id: 10_000_000 + asked.posts }];
  }
  return [200, []];
}

function movedPulls(url: URL) {
  const isThere = backlog.comments > 0 && sinceOf(url) <= Date.parse(backlog.at);
  return Array.from({ length: isThere ? repositories * pullsEach : 0 }, (_, index) => ({
    ...{ number: (index % pullsEach) + 1, updated_at: backlog.at, body: "x".repeat(padding.pull) },
    repository: { full_name: `${organisation}/recipe-${Math.floor(index / pullsEach)}` },
  }));
}

function sinceOf(url: URL): number {
  return Date.parse(url.searchParams.get("since") ?? "");
}

function pageOf<Item>(url: URL, items: readonly Item[]): readonly Item[] {
  const limit = Math.min(Number(url.searchParams.get("limit") ?? 30), mostPage);
  const start = (Number(url.searchParams.get("page") ?? 1) - 1) * limit;
  return items.slice(start, start + limit);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts).toString();
  const url = new URL(request.url ?? "/", "http://forge.invalid");
  if (url.pathname === "/control") {
    if (request.method === "POST") {
      backlog = JSON.parse(body) as typeof backlog;
      Object.assign(asked, { requests: 0, first: 0, lastPost: 0, posts: 0 });
    }
    response.end(JSON.stringify(asked));
    return;
  }
  // What only reads: the floor of any answer.
  if (url.pathname === "/bare") {
    response.writeHead(202).end('{"result":"taken"}');
    return;
  }
  asked.requests += 1;
  asked.first ||= Date.now();
  const [status, value] = answer(request.method ?? "GET", url, body);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
