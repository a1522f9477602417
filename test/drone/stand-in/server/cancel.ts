import { now } from "../environment.ts";
import { type Build, isDone, type Status } from "../records.ts";
import type { World } from "./server.ts";

/** What a shell ends with after Ctrl-C: Drone's mark for a build that somebody ended. */
const cancelled = 130;

/** Ends a build; one that has ended stays as it is. What runs is told by its runner's next look. */
export function cancel({ queue, store }: Pick<World, "queue" | "store">, build: Build): void {
  if (isDone(build.status)) return;
  const time = now();
  Object.assign(build, {
    ...{ status: "killed", finished: time, updated: time, version: build.version + 1 },
    started: build.started || time,
  });
  for (const stage of store.stagesOf(build)) {
    if (isDone(stage.status)) continue;
    Object.assign(stage, { ...endOf(stage.started), stopped: time, version: stage.version + 1 });
    for (const step of stage.steps ?? []) {
      if (isDone(step.status)) continue;
      const end = endOf(step.started ?? 0);
      const version = step.version + 1;
      Object.assign(step, { ...end, stopped: time, exit_code: cancelled, version });
    }
  }
  store.save();
  queue.tellEnded(build.id);
}

function endOf(started: number): { readonly status: Status; readonly started: number } {
  return started === 0 ? { status: "skipped", started: now() } : { status: "killed", started };
}
