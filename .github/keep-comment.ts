/**
 * Keeps one comment on a pull request: edits the one that it wrote before, else writes a new one. The
 * text comes on standard input. Speaks the part of the API that GitHub, Gitea and Forgejo share.
 */
import { text } from "node:stream/consumers";
import * as z from "zod";

/** Begins our comment, invisible to readers: how it is found again. */
const marker = "<!-- cc-ci: what the next switch does -->";

/** GitHub refuses longer comments, in characters; Gitea takes more. */
const maxLength = 65_000;

/** Ten thousand comments, as the largest pages have them: a thread that is longer gets a new one. */
const maxPages = 100;

const environment = z
  .object({
    GITHUB_API_URL: z.url(),
    GITHUB_REPOSITORY: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    GITHUB_TOKEN: z.string().min(1),
    PULL_REQUEST: z.string().regex(/^\d+$/),
  })
  .parse(process.env);

const comments = z.array(z.object({ id: z.int(), body: z.string().nullable() }));

const repository = `${environment.GITHUB_API_URL}/repos/${environment.GITHUB_REPOSITORY}`;
const thread = `${repository}/issues/${environment.PULL_REQUEST}/comments`;

async function request(method: string, url: string, body?: object): Promise<Response> {
  return await fetch(url, {
    method,
    headers: {
      Accept: "application/json",
      Authorization: `token ${environment.GITHUB_TOKEN}`,
      "Content-Type": "application/json",
    },
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The id of our comment; undefined when there is none. */
async function findComment(): Promise<number | undefined> {
  const seen = new Set<number>();
  for (let page = 1; page <= maxPages; page += 1) {
    // Each forge ignores the parameter of the other, and Gitea gives every comment on every page.
    const response = await request("GET", `${thread}?page=${page}&per_page=100&limit=50`);
    if (response.status === 401 || response.status === 403) return undefined;
    if (!response.ok) throw new Error(`cannot list the comments: ${response.status}`);
    const fresh = comments.parse(await response.json()).filter(({ id }) => !seen.has(id));
    const ours = fresh.find(({ body }) => body?.startsWith(marker));
    if (ours !== undefined) return ours.id;
    if (fresh.length === 0) return undefined;
    for (const { id } of fresh) seen.add(id);
  }
  return undefined;
}

/** Writes the comment; gives the last answer of the forge. */
async function keep(body: string): Promise<Response> {
  const id = await findComment();
  if (id !== undefined) {
    const edited = await request("PATCH", `${repository}/issues/comments/${id}`, { body });
    // Somebody else may have copied the marker, or deleted the comment meanwhile.
    if (edited.status !== 403 && edited.status !== 404) return edited;
  }
  return await request("POST", thread, { body });
}

const given = (await text(process.stdin)).trim();
process.stdout.write(`${given}\n`);
const whole = `${marker}\n${given}\n`;
const cut = "\n\n(cut here: the log of this check has all of it)\n";
const body = whole.length <= maxLength ? whole : whole.slice(0, maxLength - cut.length) + cut;
const answer = await keep(body);
if (answer.status === 401 || answer.status === 403) {
  process.stdout.write(
    `\nNo comment was written: this token may not (${answer.status}), as is usual for a fork.\n`,
  );
} else if (!answer.ok) {
  throw new Error(`cannot write the comment: ${answer.status} ${await answer.text()}`);
}
