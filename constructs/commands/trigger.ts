import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DroneClient, type Started } from "../../services/lib/drone/client.ts";
import { isFinal, type Outcome, outcomeOf } from "../../services/lib/drone/outcome.ts";
import type { Build } from "../../services/lib/drone/schemas.ts";
import { DroneRefusal, isSilence } from "../../services/lib/drone/trouble.ts";
import { type RunRequest, runRequestSchema } from "../../services/lib/run.ts";
import { DroneRepository } from "../ci/drone-repository.ts";
import { UserError, userError } from "../core/errors.ts";
import { remoteCommit } from "./git.ts";
import type { CommandContext, Options } from "./options.ts";
import { loadProject } from "./project.ts";
import { visibleLine } from "./visible.ts";

/** How often a build is looked at that goes on, in seconds. */
const everySeconds = 2;

/** How often in a row Drone may not answer meanwhile: it may just be deployed anew. */
const mostSilences = 30;

/** What there is to say of a build's end that its status does not. */
const ends: Partial<Record<Outcome, string>> = {
  cancelled: "it was cancelled, or nobody worked on it any more",
  "timed-out": "it took longer than Drone lets it",
};

/**
 * `trigger`: starts a test run by hand, as the bridge does for a pull request, and follows it to its end.
 *
 * @returns 0 when it passed
 */
export async function trigger(context: CommandContext): Promise<number> {
  const { options, root } = context;
  const token = process.env.DRONE_TOKEN;
  const place = await placeOf(context);
  const { server, slug: repository, branch } = place;
  if (!token) {
    const ways = `take the one that the host has in ${place.bridgeToken.path}, or your own of ${server.address}/account`;
    throw userError("DRONE_TOKEN", `is not set: ${ways}`);
  }
  const [owner] = repository.split("/");
  const recipeRepository = options.repository ?? `${owner}/${options.recipe}`;
  const request = requestOf(options, {
    repository: recipeRepository,
    commit: await commitOf(root, `${server.forge}/${recipeRepository}.git`, options.ref, "--ref"),
  });
  const address = `${server.forge}/${repository}.git`;
  const commit = await commitOf(root, address, branch, "drone.builds.branch");
  const client = new DroneClient({ server: server.address, token });
  try {
    const build = await start(client, { repository, branch, commit }, request);
    print(`started: ${server.address}/${repository}/${build.number}`);
    return await follow(client, repository, build.number);
  } catch (error) {
    if (!(error instanceof DroneRefusal)) throw error;
    throw userError(server.address, `${error.trouble.replaceAll("-", " ")}: ${error.message}`);
  }
}

async function placeOf(context: CommandContext): Promise<DroneRepository> {
  const { app } = await loadProject(context, "once");
  const { host } = context.options;
  const found = app.hosts
    .filter(({ name }) => host === undefined || name === host)
    .flatMap((each) => each.node.findAll())
    .filter((each) => each instanceof DroneRepository);
  const [place, ...others] = found;
  if (place === undefined) {
    throw userError("trigger", "there is no host with Drone: add 'drone' to one in cc-ci.yaml");
  }
  if (others.length > 0) {
    throw userError("trigger", "there are several hosts with Drone: choose one with --host");
  }
  return place;
}

function requestOf(
  options: Options,
  { repository, commit }: Pick<RunRequest, "repository" | "commit">,
): RunRequest {
  const request = runRequestSchema.safeParse({
    id: randomBytes(8).toString("hex"),
    recipe: options.recipe ?? "",
    repository,
    pull: options.pull === undefined ? null : Number(options.pull),
    commit,
    quick: options.quick ?? false,
  });
  if (request.success) return request.data;
  throw new UserError(
    request.error.issues.map(({ path, message }) => ({ where: `--${path.join(".")}`, message })),
  );
}

async function commitOf(
  root: string,
  address: string,
  ref: string | undefined,
  option: string,
): Promise<string> {
  if (ref === undefined) throw userError(option, "name a branch, a tag or a commit of the recipe");
  if (/^[0-9a-f]{40}$/.test(ref)) return ref;
  const commit = await remoteCommit(root, address, ref);
  if (commit !== undefined) return commit;
  throw userError(option, `${address} has no branch or tag ${JSON.stringify(ref)}`);
}

async function start(
  client: DroneClient,
  place: Parameters<DroneClient["start"]>[0],
  request: RunRequest,
): Promise<Build> {
  const { repository, commit } = place;
  const started: Started = await client.start(place, request);
  switch (started.as) {
    case "started":
      return started.build;
    case "unknown": {
      // It may be there all the same: nobody starts a second one unseen.
      const build = await patient(() => client.buildOf(repository, request.id));
      if (build !== undefined) return build;
      throw userError(
        "trigger",
        `Drone did not answer (${started.reason}), and has no build with CCCI_ID ${request.id} yet: look at ${repository} there before you try again`,
      );
    }
    case "not-triggered":
    case "config-missing":
    case "config-wrong": {
      const why = {
        "not-triggered": "the pipeline is not for builds that are started by hand",
        "config-missing": "there is no pipeline",
        "config-wrong": "the pipeline cannot be read",
      }[started.as];
      throw userError(
        "trigger",
        `${why} at ${commit.slice(0, 8)} of ${repository}: run 'npm run synth', commit out/ and push it`,
      );
    }
    case "other-commit":
      throw userError(
        "trigger",
        `Drone builds ${started.build.after}, and was asked for ${commit}`,
      );
  }
}

/** What Drone answers, be it after a while. */
async function patient<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let silences = 0; ; silences += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isSilence(error) || silences === mostSilences) throw error;
      await sleep(everySeconds * 1000);
    }
  }
}

/** @returns the exit status */
async function follow(client: DroneClient, repository: string, number: number): Promise<number> {
  let said = "";
  let shown = 0;
  for (;;) {
    const build = await patient(() => client.build(repository, number));
    if (build.status !== said) print(build.status);
    said = build.status;
    const step = build.stages[0]?.steps[0];
    if (step !== undefined && isFinal(step.status)) {
      const lines = await client.log(repository, number, 1, step.number);
      for (const line of lines.slice(shown))
        process.stdout.write(`  ${visibleLine(line.trimEnd())}\n`);
      shown = lines.length;
    }
    const outcome = outcomeOf(build);
    if (outcome !== "going-on") {
      const words = ends[outcome];
      if (words !== undefined) print(words);
      return outcome === "passed" ? 0 : 1;
    }
    await sleep(everySeconds * 1000);
  }
}

function print(line: string): void {
  process.stdout.write(`${visibleLine(line)}\n`);
}
