import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished } from "vitest";
import { ForgeClient } from "../../../services/lib/forge/client.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";

const token = "a-token-that-nobody-may-see";

/** As the forge says it; a right that the account has not, it calls otherwise. */
export const missingScope = {
  message:
    "token does not have at least one of required scope(s), required=[write:repository], token scope=read:issue",
};

/** The path of the hooks of the CI repository. */
export const hooks = "/api/v1/repos/ci/cc-ci/hooks";

/** The path of a repository of recipes. */
export const repository = "/api/v1/repos/recipes/wiki";

/** A time as the forge tells it, and what that is. */
export const time = "2026-01-05T11:00:07+01:00";
export const ten = new Date("2026-01-05T10:00:07Z");

export const sha = "0123456789abcdef0123456789abcdef01234567";

export type Answer = readonly [
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
];

/** What somebody asked for: method and path, and the body where there was one. */
type Asked = string | readonly [string, unknown];

/** A forge that answers by method and path, and what it was asked. */
export async function serving(answers: Readonly<Record<string, Answer>>) {
  const asked: Asked[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const what = `${incoming.method} ${incoming.url}`;
    const sent = await text(incoming);
    asked.push(sent === "" ? what : [what, JSON.parse(sent)]);
    expect(incoming.headers.authorization).toBe(`token ${token}`);
    const [status, body, headers = {}] = answers[what] ?? [404, { message: "not found" }];
    outgoing.writeHead(status, headers);
    outgoing.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  return { client: await clientOf(server, { answerSeconds: 2 }), asked };
}

/** A client of what listens from now on, to the end of the case. */
export async function clientOf(
  server: Server,
  { answerSeconds }: { readonly answerSeconds: number },
): Promise<ForgeClient> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return new ForgeClient({ server: `http://127.0.0.1:${port}`, token, answerSeconds });
}

/** What came of a question that was not answered. */
export async function refusalOf(question: Promise<unknown>): Promise<ForgeRefusal> {
  const error = await question.catch((problem: unknown) => problem);
  if (!(error instanceof ForgeRefusal)) throw new Error("it was answered");
  expect(error.message).not.toContain(token);
  return error;
}

/** A comment as the forge tells of it. */
export const told = (changes: Readonly<Record<string, unknown>> = {}) => ({
  ...{ id: 7, body: "!testme", user: { id: 11, login: "somebody", email: "x" } },
  ...{ created_at: time, updated_at: time, issue_url: "" },
  pull_request_url: "https://git.example.org/recipes/wiki/pulls/3",
  ...changes,
});
