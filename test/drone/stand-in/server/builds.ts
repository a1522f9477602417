import * as z from "zod";
import type { Build, Repository, Stage } from "../records.ts";
import { cancel } from "./cancel.ts";
import { No, noRows } from "./no.ts";
import { type Call, someone, type World } from "./server.ts";
import { type Source, trigger } from "./trigger.ts";

/** For a page that asks for none, or for more than the most. */
const pageSize = 25;
const largestPage = 100;

/** Query keys of a start that are no parameters of the build. */
const ownKeys = ["access_token", "commit", "branch"];

/** `/api/repos/{owner}/{name}/builds…` */
export async function builds(
  world: World,
  call: Call,
  repository: Repository,
  demandWrite: () => void,
): Promise<unknown> {
  const { store } = world;
  const [text, ...rest] = call.path;
  if (text === undefined) {
    if (call.method === "GET") return list(world, call, repository);
    if (call.method !== "POST") throw new No(405, "");
    demandWrite();
    return await start(world, call, repository);
  }
  const found = (): Build => {
    if (!/^\d+$/.test(text)) {
      throw new No(400, `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    const build = store.data.builds.find(
      (each) => each.repo_id === repository.id && each.number === Number(text),
    );
    if (build === undefined) throw new No(404, noRows);
    return build;
  };
  if (rest.length === 0 && call.method === "GET") return withStages(world, found());
  if (rest[0] === "logs" && call.method === "GET") return log(world, found(), rest.slice(1));
  demandWrite();
  if (rest.length === 0 && call.method === "DELETE") {
    const build = found();
    cancel(world, build);
    return withStages(world, build);
  }
  if (rest.length === 0 && call.method === "POST") {
    return await again(world, call, repository, found());
  }
  throw new No(405, "");
}

function list({ store }: World, { query }: Call, repository: Repository): readonly Build[] {
  const asked = Number(query.get("per_page"));
  const limit = asked >= 1 && asked <= largestPage ? asked : pageSize;
  const page = Math.max(1, Number(query.get("page")) || 1);
  const own = store.data.builds.filter((build) => build.repo_id === repository.id);
  const newest = own.toSorted((one, other) => other.number - one.number);
  return newest.slice((page - 1) * limit, page * limit);
}

function withStages(
  { store }: World,
  build: Build,
): Build & { readonly stages?: readonly Stage[] } {
  const stages = store.stagesOf(build);
  return stages.length === 0 ? build : { ...build, stages };
}

const personSchema = z
  .object({ login: z.string().default(""), avatar_url: z.string().default("") })
  .nullish();

const commitSchema = z.object({
  sha: z.string(),
  url: z.string(),
  author: personSchema,
  commit: z.object({
    message: z.string(),
    author: z.object({ name: z.string(), email: z.string() }),
  }),
});

async function start(world: World, call: Call, repository: Repository): Promise<unknown> {
  const { forge, store } = world;
  const { query } = call;
  const owner = store.user(repository.user_id);
  if (owner === undefined) throw new No(404, noRows);
  const branch = query.get("branch") || repository.default_branch;
  const asked = query.get("commit") || branch;
  let commit: z.infer<typeof commitSchema>;
  try {
    const path = `repos/${repository.slug}/git/commits/${encodeURIComponent(asked)}`;
    commit = commitSchema.parse(await forge.ask(owner, "GET", path));
  } catch (error) {
    throw new No(404, error instanceof Error ? error.message : String(error));
  }
  const login = someone(call).login;
  const source: Source = {
    trigger: login,
    event: "custom",
    action: query.get("action") ?? "",
    link: commit.url,
    message: query.get("message") || commit.commit.message,
    before: commit.sha,
    after: commit.sha,
    ref: `refs/heads/${branch}`,
    source: branch,
    target: branch,
    author_login: commit.author?.login ?? "",
    author_name: commit.commit.author.name,
    author_email: commit.commit.author.email,
    author_avatar: commit.author?.avatar_url ?? "",
    sender: login,
    params: parametersIn(query, ownKeys),
  };
  return await trigger(world, repository, source);
}

async function again(
  world: World,
  call: Call,
  repository: Repository,
  before: Build,
): Promise<unknown> {
  const { params = {} } = before;
  return await trigger(world, repository, {
    ...before,
    parent: before.number,
    trigger: someone(call).login,
    // The old ones win.
    params: { ...parametersIn(call.query, ["access_token", "debug"]), ...params },
  });
}

/** The first value of each key. */
function parametersIn(query: URLSearchParams, but: readonly string[]): Record<string, string> {
  const names = [...new Set(query.keys())].filter((name) => !but.includes(name));
  return Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));
}

function log({ store }: World, build: Build, path: readonly string[]): unknown {
  const [stageNumber, stepNumber] = path.map(Number);
  const stage = store.stagesOf(build).find(({ number }) => number === stageNumber);
  const step = stage?.steps?.find(({ number }) => number === stepNumber);
  const lines = step && store.data.logs[String(step.id)];
  if (lines === undefined) throw new No(404, noRows);
  return lines;
}
