import type { Docker } from "../../adapters/docker.ts";
import type { Container } from "../../adapters/docker-schemas.ts";
import type { World } from "../../engine/world.ts";

/** Label that Docker puts on the container of a task: the id of that. */
const taskLabel = "com.docker.swarm.task.id";

/** Seconds in which Docker itself removes the container of a task that is no more. */
const graceSeconds = 10;

/**
 * Those of some containers that nobody will remove: the swarm has forgotten their task, and they
 * ended a while ago. Docker 26.1 leaves such ones when the power fails right after a service was removed.
 */
export async function orphansAmong(
  containers: readonly Container[],
  { docker, clock }: Pick<World, "docker" | "clock">,
): Promise<readonly Container[]> {
  const orphans: Container[] = [];
  for (const container of containers) {
    const id = container.Labels[taskLabel];
    if (!id || (await docker.hasTask(id))) continue;
    if (await hasEnded(container, docker, clock.now())) orphans.push(container);
  }
  return orphans;
}

async function hasEnded({ Id }: Container, docker: Docker, now: Date): Promise<boolean> {
  const state = await docker.containerState(Id);
  if (state === undefined || state.Running) return false;
  // Of one that never ran it is the year 1.
  return now.getTime() - Date.parse(state.FinishedAt) >= graceSeconds * 1000;
}

/** Docker puts a slash before it. */
export function nameOf({ Id, Names }: Container): string {
  return Names[0]?.slice(1) ?? Id.slice(0, 12);
}
