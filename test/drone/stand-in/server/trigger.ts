import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../environment.ts";
import { log } from "../log.ts";
import { fits, type Pipeline, pipelinesIn } from "../pipeline.ts";
import type { Build, Repository, Stage, User } from "../records.ts";
import { No, noRows } from "./no.ts";
import type { World } from "./server.ts";

/** What a build is made of; the rest of it is the same for all at first. */
export interface Source {
  readonly trigger: string;
  readonly parent?: number;
  readonly event: string;
  readonly action: string;
  readonly link: string;
  readonly message: string;
  readonly before: string;
  readonly after: string;
  readonly ref: string;
  readonly source: string;
  readonly target: string;
  readonly author_login: string;
  readonly author_name: string;
  readonly author_email: string;
  readonly author_avatar: string;
  readonly sender: string;
  readonly params?: Readonly<Record<string, string>>;
}

/** A configuration that is not there is looked for this often. */
const looks = 3;

/**
 * Makes a build of a commit.
 *
 * @returns null when no pipeline is for it; a build of `error` when its configuration is wrong
 * @throws {No} when there is no configuration, after having looked for it for long
 */
export async function trigger(
  world: World,
  repository: Repository,
  source: Source,
): Promise<Build | null> {
  const { queue, store } = world;
  const owner = store.user(repository.user_id);
  if (owner === undefined) throw new No(500, noRows);
  const text = await configurationOf(world, owner, repository, source.after);
  let pipelines: readonly Pipeline[];
  try {
    pipelines = pipelinesIn(text);
  } catch (error) {
    log("warning", "trigger: cannot parse yaml", { repo: repository.slug });
    return create(
      world,
      repository,
      source,
      error instanceof Error ? error.message : String(error),
    );
  }
  const fitting = pipelines.filter(
    ({ trigger: { branch, event, repo } }) =>
      fits(event, source.event) && fits(branch, source.target) && fits(repo, repository.slug),
  );
  if (fitting.length === 0) {
    log("info", "trigger: skipping build, no matching pipelines", { repo: repository.slug });
    return null;
  }
  const build = create(world, repository, source);
  const stages = fitting.map((pipeline, at) => stageOf(pipeline, build, at + 1, store.nextId()));
  store.data.stages.push(...stages);
  store.save();
  queue.look();
  return build;
}

/** The pipeline's text, at a commit. @throws {No} with the forge's words */
export async function configurationOf(
  { forge, settings }: World,
  owner: User,
  { slug, config_path }: Repository,
  commit: string,
): Promise<string> {
  let last: unknown;
  for (let look = 0; look < looks; look += 1) {
    try {
      const path = `repos/${slug}/raw/${config_path}?ref=${encodeURIComponent(commit)}`;
      const text = await forge.ask(owner, "GET", path);
      return typeof text === "string" ? text : JSON.stringify(text);
    } catch (error) {
      last = error;
    }
    await sleep(settings.configPause * 1000);
  }
  log("warning", "trigger: cannot find yaml", { repo: slug, error: String(last) });
  throw new No(500, last instanceof Error ? last.message : String(last));
}

function create({ store }: World, repository: Repository, source: Source, error?: string): Build {
  repository.counter += 1;
  const time = now();
  const ended = error === undefined ? 0 : time;
  const { parent, params = {}, ...rest } = pick(source);
  const build: Build = {
    ...{ id: store.nextId(), repo_id: repository.id, number: repository.counter },
    ...rest,
    ...(parent === undefined ? {} : { parent }),
    // What cannot begin has no parameters.
    ...(error !== undefined || Object.keys(params).length === 0 ? {} : { params }),
    ...(error === undefined ? { status: "pending" } : { status: "error", error }),
    ...{ timestamp: 0, source_repo: "", started: ended, finished: ended },
    ...{ created: time, updated: time, version: 1 },
  };
  store.data.builds.push(build);
  store.save();
  return build;
}

/** Of a build that is begun again, nothing else counts. */
function pick(source: Source): Source {
  const { trigger, parent, event, action, link, message, before, after, ref } = source;
  const { author_login, author_name, author_email, author_avatar, sender, params } = source;
  return {
    ...{ trigger, event, action, link, message, before, after, ref },
    ...{ source: source.source, target: source.target },
    ...{ author_login, author_name, author_email, author_avatar, sender },
    ...(parent === undefined ? {} : { parent }),
    ...(params === undefined ? {} : { params }),
  };
}

function stageOf(pipeline: Pipeline, build: Build, number: number, id: number): Stage {
  const time = now();
  return {
    ...{ id, repo_id: build.repo_id, build_id: build.id, number, name: pipeline.name },
    ...{ kind: "pipeline", type: pipeline.type, status: "pending", errignore: false, exit_code: 0 },
    ...{ os: pipeline.platform.os, arch: pipeline.platform.arch },
    ...{ started: 0, stopped: 0, created: time, updated: time, version: 1 },
    ...{ on_success: true, on_failure: false },
    ...(Object.keys(pipeline.node).length === 0 ? {} : { labels: pipeline.node }),
  };
}
