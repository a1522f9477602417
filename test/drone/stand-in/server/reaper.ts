import { now } from "../environment.ts";
import { isDone } from "../records.ts";
import { cancel } from "./cancel.ts";
import type { World } from "./server.ts";

/** Looks for builds that nobody will end any more, again and again, if it is not switched off. */
export function startReaper(world: World): void {
  const { isOff, interval } = world.settings.cleanup;
  // Node takes no longer time than 24 days.
  if (!isOff) setInterval(() => reap(world), Math.min(interval * 1000, 2 ** 31 - 1)).unref();
}

function reap(world: World): void {
  const { settings, store } = world;
  const { buffer, pending, running } = settings.cleanup;
  const isOver = (since: number, limit: number): boolean => since + limit + buffer < now();
  for (const build of store.data.builds.filter(({ status }) => !isDone(status))) {
    if (build.status === "pending") {
      if (isOver(build.created, pending)) cancel(world, build);
      continue;
    }
    if (!isOver(build.started, running)) continue;
    const open = store.stagesOf(build).filter(({ status }) => !isDone(status));
    const started = Math.max(0, ...open.map((stage) => stage.started));
    const timeout = (store.repository(build.repo_id)?.timeout ?? 0) * 60;
    // The longest that its repository allows must be over as well.
    if (started === 0 || isOver(started, timeout)) cancel(world, build);
  }
}
