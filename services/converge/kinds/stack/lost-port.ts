import { join } from "node:path";
import { livingRuns } from "../../../lib/living-runs.ts";
import { runPlaces, runServices } from "../../../lib/run.ts";
import type { Service, Task } from "../../adapters/docker-schemas.ts";
import type { Systemd } from "../../adapters/systemd.ts";
import { stateFolder } from "../../engine/places.ts";
import type { Context } from "../../engine/steps.ts";
import { waitFor } from "../../engine/waiting.ts";
import type { World } from "../../engine/world.ts";
import { isAiling } from "./health.ts";
import { stackLines } from "./lines.ts";

/**
 * A port that Docker gives to no task, although nothing has it. A daemon that is killed just as a
 * container starts, as by a power cut, takes its port for given when it is up again, and does so until it
 * starts once more (moby/libnetwork#1790; so in 26.1, and still in the sources of 29).
 */
export interface LostPort {
  readonly service: string;
  readonly port: number;
}

export const dockerUnit = "docker.service";

/**
 * How long after a look at which no container had the port a task must be refused it once more, in
 * seconds: for a moment after a container's end nothing has its port either.
 */
const marginSeconds = 3;

/** How long that refusal is waited for, in seconds: recipes try again after 5 mostly. */
const againSeconds = 30;

/** Docker's own words. */
const refusal = /Bind for \S+:(\d+) failed: port is already allocated/;

/** Whether there may be one, by what tasks said last. */
export function tellsOfLostPort(words: string): boolean {
  return refusal.test(words);
}

/** Undefined where there is none; else it takes some seconds to be sure, for a plan too. */
export async function findLostPort(
  services: readonly Service[],
  { world: { clock, docker, systemd } }: Context,
): Promise<LostPort | undefined> {
  const look = async (): Promise<(LostPort & { readonly at: Date }) | undefined> => {
    for (const service of services) {
      const tasks = await docker.tasks(service.ID);
      const refused = refusedPort(tasks);
      if (refused === undefined || !isAiling(service, tasks)) continue;
      // What a daemon said that runs no more is not held against this one.
      if (refused.at < (await systemd.startOf(dockerUnit))) continue;
      const containers = await docker.containers();
      const isTaken = containers.some(({ Ports }) =>
        Ports.some(({ PublicPort }) => PublicPort === refused.port),
      );
      if (!isTaken) return { service: service.Spec.Name, ...refused };
    }
    return undefined;
  };
  if ((await look()) === undefined) return undefined;
  const since = clock.now().getTime() + marginSeconds * 1000;
  const found = await waitFor(clock, { seconds: againSeconds }, async () => {
    const again = await look();
    if (again === undefined) return { lost: undefined };
    const { service, port, at } = again;
    return at.getTime() >= since ? { lost: { service, port } } : undefined;
  });
  return found?.lost;
}

/** The port that the task that ended last was refused, and when; undefined when it ended otherwise. */
function refusedPort(tasks: readonly Task[]): { port: number; at: Date } | undefined {
  const [last] = tasks
    .filter(({ Status }) => /^(?:complete|failed|rejected)$/.test(Status.State))
    .map(({ Status }) => ({ words: Status.Err, at: new Date(Status.Timestamp) }))
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const port = refusal.exec(last?.words ?? "")?.[1];
  return last === undefined || port === undefined ? undefined : { port: Number(port), at: last.at };
}

/**
 * A restart of Docker ends every container of this host, and so it waits for test runs.
 *
 * @throws {Stop} as long as one goes on, or is about to
 */
export async function waitForRuns(
  lost: LostPort,
  systemd: Systemd,
  living: string = runPlaces.living,
): Promise<void> {
  const units = await systemd.matching(runServices);
  if (units.length === 0) return;
  const runs = await livingRuns(living);
  const named = units.map((name) => {
    const run = runs.find(({ unit }) => unit === name);
    return run === undefined ? name : `${run.id} (${run.recipe}, since ${run.since})`;
  });
  throw stackLines.stop("docker-restart-waits", { ...lost, runs: named.join(", ") });
}

/**
 * Has the daemon start once more, and waits until its swarm can be looked into again.
 *
 * @throws {Stop} when it does not come up in `restartSeconds`, or may not be restarted now
 */
export async function restartDocker(lost: LostPort, { piece, world }: Context): Promise<void> {
  const { clock, docker, files, systemd } = world;
  const before = await daemonOf(world);
  // One may have begun since the plan.
  await waitForRuns(lost, systemd);
  // Where nothing can be written it is not restarted: it could not be known that it was.
  await files.write(restartedPath(piece), before);
  const end = clock.monotonic() + restartSeconds;
  const words = await systemd.restart(dockerUnit, restartSeconds);
  const left = Math.max(0, end - clock.monotonic());
  const isUp = await waitFor(clock, { seconds: left }, async () => {
    return (await docker.cluster().catch(() => undefined)) === undefined ? undefined : true;
  });
  const now = await daemonOf(world);
  if (isUp && now !== before) return await files.write(restartedPath(piece), now);
  const what = isUp
    ? "the same one runs on"
    : `its swarm does not answer after ${restartSeconds} s`;
  const values = { ...lost, what, words: words || "systemd says nothing" };
  throw stackLines.stop("docker-not-restarted", values);
}

/** Docker gives its containers 15 s to stop, and is up again in a few. */
const restartSeconds = 60;

/**
 * Whether the daemon that runs was started for that, and it did not help: it is not tried over and over, for
 * every container of the host is interrupted.
 */
export async function wasDockerRestarted({ piece, world }: Context): Promise<boolean> {
  const noted = await world.files.read(restartedPath(piece));
  return noted?.toString("utf8") === (await daemonOf(world));
}

/** What works again may be lost again, and is then brought back again. */
export async function forgetRestart({ piece, world }: Context): Promise<void> {
  await world.files.remove(restartedPath(piece));
}

/** The daemon that was started for a lost port, and has not brought it back yet. */
function restartedPath(piece: string): string {
  return join(stateFolder(piece), "docker-restarted");
}

/** What stands for the daemon that runs. */
async function daemonOf({ systemd }: World): Promise<string> {
  return (await systemd.startOf(dockerUnit)).toISOString();
}
