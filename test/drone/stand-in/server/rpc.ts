import type { ServerResponse } from "node:http";
import * as z from "zod";
import { now } from "../environment.ts";
import { log } from "../log.ts";
import {
  type Build,
  type Details,
  type Filter,
  isDone,
  type LogLine,
  type Stage,
  type Step,
} from "../records.ts";
import { No } from "./no.ts";
import { bodyOf, type Call, send, type World } from "./server.ts";
import { configurationOf } from "./trigger.ts";
import { withoutSigner } from "./users.ts";

/** The version that answers and environments name. */
export const version = "2.28.1";

/** Somebody else was faster: the runner lets go of it. */
const overtaken = new No(409, "Optimistic Lock Error");

/** `/rpc/v2/…`: what runners ask. Only who has the secret of the server is one. */
export async function rpc(world: World, call: Call): Promise<void> {
  const { request, response } = call;
  if (world.settings.rpcSecret === "") return end(response, 403);
  if (request.headers["x-drone-token"] !== world.settings.rpcSecret) return end(response, 401);
  const [, what, text = "", ...rest] = call.path;
  const id = Number(text);
  try {
    switch (`${call.method} ${[what, text === "" ? "" : "#", ...rest].filter(Boolean).join("/")}`) {
      case "POST ping":
        return end(response, 200);
      case "POST stage": {
        const filter = (await bodyOf(call)) as Filter;
        const stage = await world.queue.take(filter, gone(response));
        return stage === undefined ? end(response, 204) : send(response, 200, stage);
      }
      case "POST stage/#":
        return send(response, 200, accept(world, id, call.query.get("machine") ?? ""));
      case "GET stage/#":
        return send(response, 200, await details(world, id));
      case "PUT stage/#":
        return send(response, 200, updateStage(world, (await bodyOf(call)) as Stage));
      case "PUT step/#":
        return send(response, 200, updateStep(world, (await bodyOf(call)) as Step));
      case "POST build/#/watch": {
        const isEnded = await world.queue.ended(id, gone(response));
        return end(response, isEnded ? 200 : 204);
      }
      case "POST step/#/logs/upload":
        world.store.data.logs[String(id)] = linesSchema.parse(await bodyOf(call));
        world.store.save();
        return end(response, 200);
      default:
        return end(response, 404);
    }
  } catch (error) {
    end(response, error instanceof No ? error.status : 500, String(error));
  }
}

const linesSchema: z.ZodType<readonly LogLine[]> = z.array(
  z.object({ pos: z.int(), out: z.string(), time: z.int() }),
);

function end(response: ServerResponse, status: number, text = ""): void {
  if (!response.destroyed) response.writeHead(status).end(text);
}

function gone(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.on("close", () => controller.abort());
  return controller.signal;
}

function stageCalled({ store }: World, id: number): Stage {
  const stage = store.data.stages.find((each) => each.id === id);
  if (stage === undefined) throw new No(500, "sql: no rows in result set");
  return stage;
}

function buildOf({ store }: World, { build_id }: Stage): Build {
  const build = store.data.builds.find(({ id }) => id === build_id);
  if (build === undefined) throw new No(500, "sql: no rows in result set");
  return build;
}

function accept(world: World, id: number, machine: string): Stage {
  const stage = stageCalled(world, id);
  if (stage.machine) throw overtaken;
  Object.assign(stage, { machine, updated: now(), version: stage.version + 1 });
  world.store.save();
  return stage;
}

async function details(world: World, id: number): Promise<Details> {
  const { forge, settings, store } = world;
  const stage = stageCalled(world, id);
  const build = buildOf(world, stage);
  const repository = store.repository(build.repo_id);
  const owner = repository && store.user(repository.user_id);
  if (repository === undefined || owner === undefined) {
    return failed(world, stage, "sql: no rows in result set");
  }
  let config: string;
  try {
    config = await configurationOf(world, owner, repository, build.after);
  } catch (error) {
    return failed(world, stage, error instanceof Error ? error.message : String(error));
  }
  let netrc: Details["netrc"] = null;
  if (repository.private || settings.git.always) {
    const { hostname: machine } = new URL(repository.git_http_url);
    const { login, password } = settings.git;
    if (login === "" || password === "") {
      // For every stage; when it fails, nobody ends the stage.
      await forge.renew(owner, true);
      netrc = { machine, login: owner.access, password: "x-oauth-basic" };
    } else {
      netrc = { machine, login, password };
    }
  }
  const { proto, host } = settings;
  return {
    repository: withoutSigner(repository),
    build: { ...build, stages: store.stagesOf(build) },
    ...{ stage, config, netrc },
    system: { proto, host, link: `${proto}://${host}`, version },
  };
}

function failed(world: World, stage: Stage, error: string): never {
  log("warning", "manager: details failed, marking stage as error", { error });
  updateStage(world, { ...stage, status: "error", error, stopped: now() });
  throw new No(500, error);
}

/** What a runner says of its stage, with all of its steps. */
function updateStage(world: World, said: Stage): Stage {
  const { store } = world;
  const stage = stageCalled(world, said.id);
  const build = buildOf(world, stage);
  if (isDone(said.status)) {
    for (const step of said.steps ?? []) updateStep(world, step);
  }
  if (said.version !== stage.version) throw overtaken;
  const { status, error, exit_code, started, stopped } = said;
  const time = now();
  Object.assign(stage, { status, exit_code, started, stopped, updated: time });
  if (error) stage.error = error.slice(0, 500);
  stage.version += 1;
  if (!isDone(status)) {
    stage.steps = (said.steps ?? []).map((step) => ({ ...step, id: store.nextId(), version: 1 }));
    if (build.status === "pending") {
      Object.assign(build, { status: "running", started: time, version: build.version + 1 });
    }
  } else if (store.stagesOf(build).every((each) => isDone(each.status))) {
    finish(world, build);
  }
  store.save();
  return stage;
}

function finish({ store }: World, build: Build): void {
  // Who was cancelled stays so.
  if (isDone(build.status)) return;
  const ends = store.stagesOf(build).map(({ status }) => status);
  const bad = ends.find((end) => ["killed", "failure", "error"].includes(end));
  const time = now();
  Object.assign(build, { status: bad ?? "success", finished: time, updated: time });
  build.started ||= time;
  build.version += 1;
}

function updateStep({ store }: World, said: Step): Step {
  const steps = store.data.stages.flatMap((stage) => stage.steps ?? []);
  const step = steps.find(({ id }) => id === said.id);
  if (step === undefined) throw new No(500, "sql: no rows in result set");
  if (said.version !== step.version) throw overtaken;
  const { status, error, exit_code, started, stopped } = said;
  Object.assign(step, { status, exit_code, version: step.version + 1 });
  if (started !== undefined) step.started = started;
  if (stopped !== undefined) step.stopped = stopped;
  if (error) step.error = error.slice(0, 500);
  store.save();
  return step;
}
