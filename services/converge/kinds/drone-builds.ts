import { join } from "node:path";
import type { DroneClient } from "../../lib/drone/client.ts";
import { isFinal } from "../../lib/drone/outcome.ts";
import type { Build } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import { type LivingRun, livingRuns } from "../../lib/living-runs.ts";
import { runPlaces, runResultsSchema } from "../../lib/run.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { isToBeDeployed, ownerAnswer, tokenIn } from "./drone/answers.ts";

export const droneBuildsLines = defineLines({
  "run-not-stopped": {
    as: "failed",
    says: "systemd does not stop {unit}, whose build has ended ({words}): see 'systemctl status {unit}'; the next run tries again",
  },
  "build-not-taken": {
    as: "pending",
    says: "build {build} of {repository} waits since {since}, and {unit} has none and does not take it: see 'journalctl -u {unit}', whether it reaches Drone and is let in; the next run looks again",
  },
});

type DroneBuilds = ResourceOf<"drone-builds">;

/** What is seen of builds and of runs, which should go on together and end together. */
export interface BuildsSight {
  /** The newest builds; those that have not ended with their stages. */
  readonly builds: readonly Build[];
  readonly runs: readonly LivingRun[];
  /** When the runs of builds that have not ended have ended, by their ids. */
  readonly ended: ReadonlyMap<string, Date>;
  readonly runner: {
    readonly isUp: boolean;
    /** When it was started. */
    readonly started: Date;
  };
  readonly now: Date;
}

export interface BuildsWork {
  readonly cancel: (build: number) => Promise<void>;
  readonly stop: (unit: string) => Promise<void>;
}

/** Drone's times are whole seconds, in milliseconds: what began in that second may have begun later in it. */
const wholeSecond = 1000;

/** The calls that end what nobody else ends. */
export function planBuilds(
  resource: DroneBuilds,
  sight: BuildsSight,
  work: BuildsWork,
): readonly Call[] {
  const { repository } = resource;
  const stale = sight.builds.flatMap((build) => {
    const why = isFinal(build.status) ? undefined : whyStale(resource, build, sight);
    return why === undefined ? [] : [{ build, why }];
  });
  return [
    ...stale.map(
      ({ build, why }): Call => ({
        ...{ phase: "apply", verb: "build cancel", target: `${repository}/${build.number}`, why },
        perform: () => work.cancel(build.number),
      }),
    ),
    ...sight.runs
      .filter((run) => isLeftAlone(resource, run, sight))
      .map(
        ({ id, unit }): Call => ({
          ...{ phase: "apply", verb: "run stop", target: id, why: "its build has ended" },
          perform: () => work.stop(unit),
        }),
      ),
  ];
}

/** Why nothing more comes of a build that has not ended; undefined where something may. */
function whyStale(
  { runner: { name, unit }, graceSeconds }: DroneBuilds,
  build: Build,
  { ended, runner, now }: BuildsSight,
): string | undefined {
  const isOver = (time: Date | null | undefined): boolean =>
    time != null && now.getTime() - time.getTime() > graceSeconds * 1000;
  const end = ended.get(build.params.CCCI_ID ?? "");
  // One that was started again has the id of the build before, whose run it was.
  const isOwnEnd = end !== undefined && build.created !== null && end > build.created;
  if (isOwnEnd && isOver(end)) return `its run ended ${end?.toISOString()}, and Drone was not told`;
  for (const { machine, status, started, updated } of build.stages) {
    if (machine === "" || isFinal(status)) continue;
    // A runner that could not make ready what it took says so to nobody.
    if (status === "pending" && isOver(updated)) return `it was taken by ${machine}, and not begun`;
    if (machine !== name || status !== "running" || !isOver(started)) continue;
    if (!runner.isUp) return `${unit}, which had it, does not run`;
    if (started !== null && started.getTime() + wholeSecond <= runner.started.getTime()) {
      return `${unit}, which had it, was started anew ${runner.started.toISOString()}`;
    }
  }
  return undefined;
}

/** Whether the build of a run has ended, and the run was not told. */
function isLeftAlone(
  { graceSeconds }: DroneBuilds,
  { id }: LivingRun,
  { builds, now }: BuildsSight,
): boolean {
  // A build that was started again has the same id, and ends at once.
  const own = builds.filter(({ params }) => params.CCCI_ID === id);
  return (
    own.length > 0 &&
    own.every(
      ({ status, finished }) =>
        isFinal(status) &&
        finished !== null &&
        now.getTime() - finished.getTime() > graceSeconds * 1000,
    )
  );
}

/**
 * The oldest build that waits although the runner has none, so that something is in between the two; undefined
 * when there is none. A runner that is free looks for builds every ten seconds, and one that is through at once.
 */
export function notTaken(
  { graceSeconds }: DroneBuilds,
  { builds, runner, now }: BuildsSight,
): Build | undefined {
  const isLong = (time: Date | null): boolean =>
    time !== null && now.getTime() - time.getTime() > graceSeconds * 1000;
  if (!runner.isUp || !isLong(runner.started)) return undefined;
  const isWaiting = ({ status, stages }: Build): boolean =>
    status === "pending" && stages.every(({ machine }) => machine === "");
  const isIdle = builds.every(
    (build) => isWaiting(build) || (isFinal(build.status) && isLong(build.finished)),
  );
  return isIdle ? builds.findLast((build) => isWaiting(build) && isLong(build.created)) : undefined;
}

export function droneBuildsSteps(resource: DroneBuilds, context: Context): Steps {
  const { server, repository, ownerTokenFile, runner } = resource;
  const { world } = context;
  const owner = async () => {
    const token = await tokenIn(ownerTokenFile, "the token of Drone's owner account", context);
    return world.drone({ server, token });
  };
  const ask = <Answer>(work: () => Promise<Answer>) => ownerAnswer(resource, context, work);

  const see = async (): Promise<BuildsSight> => {
    const client = await owner();
    const listed = await ask(() => buildsOf(client, repository));
    const builds: Build[] = [];
    for (const build of listed) {
      // A list tells nothing of stages.
      builds.push(
        isFinal(build.status) ? build : await ask(() => client.build(repository, build.number)),
      );
    }
    const [unit] = await world.systemd.units([runner.unit]);
    return {
      builds,
      runs: await livingRuns(runPlaces.living),
      ended: await endedRuns(builds, context),
      runner: {
        isUp: ["active", "activating", "deactivating"].includes(unit?.ActiveState ?? ""),
        started: await world.systemd.startOf(runner.unit),
      },
      now: world.clock.now(),
    };
  };

  const work: BuildsWork = {
    cancel: async (build) => {
      const client = await owner();
      await ask(() => client.cancel(repository, build));
    },
    stop: async (unit) => {
      const words = await world.systemd.queue("stop", unit);
      if (words !== "") throw droneBuildsLines.stop("run-not-stopped", { unit, words });
    },
  };

  return {
    phases: ["apply"],
    plan: async () => {
      try {
        const sight = await see();
        const calls = planBuilds(resource, sight, work);
        const waiting = notTaken(resource, sight);
        if (calls.length > 0 || waiting === undefined) return calls;
        throw droneBuildsLines.stop("build-not-taken", {
          ...{ build: waiting.number, repository, unit: runner.unit },
          since: waiting.created?.toISOString() ?? "",
        });
      } catch (error) {
        if (context.mayWait || !isToBeDeployed(server, context)) throw error;
        // What there will be to end, nobody knows before it answers.
        return [];
      }
    },
  };
}

/** More pages than any queue fills; each has a hundred builds. */
const mostPages = 20;

/**
 * The newest builds, up to a page on which all have ended: those that run came before those that wait. None
 * where Drone does not know the repository, for nobody is logged in yet.
 */
async function buildsOf(client: DroneClient, repository: string): Promise<readonly Build[]> {
  const builds: Build[] = [];
  try {
    for (let page = 1; page <= mostPages; page += 1) {
      const more = await client.builds(repository, page);
      builds.push(...more);
      if (more.every(({ status }) => isFinal(status))) break;
    }
  } catch (error) {
    if (!(error instanceof DroneRefusal && error.trouble === "not-found")) throw error;
  }
  return builds;
}

/** When the runs of builds ended that Drone takes for running. */
async function endedRuns(
  builds: readonly Build[],
  { world }: Context,
): Promise<ReadonlyMap<string, Date>> {
  const ended = new Map<string, Date>();
  for (const { params, status } of builds) {
    const id = params.CCCI_ID;
    if (isFinal(status) || id === undefined || !/^[0-9a-f]{16}$/.test(id)) continue;
    const text = await world.files.read(join(runPlaces.runs, id, "results.json"));
    const results = runResultsSchema.safeParse(parsed(text));
    if (results.success) ended.set(id, new Date(results.data.endedAt));
  }
  return ended;
}

function parsed(text: Buffer | undefined): unknown {
  try {
    return JSON.parse(text?.toString("utf8") ?? "");
  } catch {
    return undefined;
  }
}
