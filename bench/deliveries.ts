import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Load {
  readonly url: string;
  readonly key: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Of the comments that are delivered; the others follow. */
  readonly firstComment: number;
}

/** As many as a proxy would have open. */
const connections = 16;

/** About what Gitea sends of a comment on a pull request, in bytes. */
const deliveryBytes = 15_000;

/**
 * Delivers comments as Gitea's hook does, at a fixed rate, whatever the answers do.
 *
 * @returns how long each answer took from the moment at which its delivery was due, in seconds, sorted
 * @throws {Error} when one is not taken
 */
export async function deliver(load: Load): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const count = load.perSecond * load.seconds;
  const answers: Promise<number>[] = [];
  const start = performance.now();
  while (answers.length < count) {
    const due = Math.floor(((performance.now() - start) / 1000) * load.perSecond);
    while (answers.length < Math.min(due, count)) {
      const dueAt = start + (1000 * answers.length) / load.perSecond;
      const answer = answered(load, agent, load.firstComment + answers.length);
      answers.push(answer.then(() => (performance.now() - dueAt) / 1000));
    }
    await sleep(1);
  }
  const taken = await Promise.all(answers);
  agent.destroy();
  return taken.toSorted((left, right) => left - right);
}

async function answered({ url, key }: Load, agent: Agent, comment: number): Promise<void> {
  const body = deliveryOf(comment);
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": body.byteLength,
    "X-Gitea-Event": "issue_comment",
    "X-Gitea-Event-Type": "pull_request_comment",
    "X-Gitea-Signature": createHmac("sha256", key).update(body).digest("hex"),
  };
  await new Promise<void>((resolve, reject) => {
    const asking = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 202) resolve();
        else reject(new Error(`a delivery was answered with ${response.statusCode}`));
      });
    });
    asking.on("error", reject).end(body);
  });
}

function deliveryOf(comment: number): Buffer {
  const payload = {
    action: "created",
    issue: { number: 1, body: "x".repeat(deliveryBytes / 2) },
    pull_request: { number: 1, head: { sha: "0".repeat(40) } },
    comment: { id: comment, body: "!testme", user: { id: 3, login: "stranger" } },
    repository: { full_name: "recipes/recipe-0", description: "x".repeat(deliveryBytes / 2) },
    sender: { id: 3, login: "stranger" },
    is_pull: true,
  };
  return Buffer.from(JSON.stringify(payload));
}
