import { isDone, type Stage, type Status } from "../records.ts";
import type { Store } from "./store.ts";

/** What Prometheus is told; the gauges that say how full the queue is. */
export function metrics({ data }: Store): string {
  const builds = (status: Status): number =>
    data.builds.filter((build) => build.status === status).length;
  const jobs = (status: Status): number =>
    data.stages.filter((stage) => stage.status === status).length;
  const gauges: Readonly<Record<string, number>> = {
    drone_build_count: data.builds.length,
    drone_pending_builds: builds("pending"),
    drone_running_builds: builds("running"),
    drone_pending_jobs: jobs("pending"),
    drone_running_jobs: jobs("running"),
    drone_repo_count: data.repositories.filter(({ active }) => active).length,
    drone_user_count: data.users.length,
  };
  const lines = Object.entries(gauges).flatMap(([name, value]) => [
    `# TYPE ${name} gauge`,
    `${name} ${value}`,
  ]);
  return `${lines.join("\n")}\n`;
}

/** Stages that wait or run, the oldest first. */
export function incompleteStages({ data }: Store): readonly Stage[] {
  return data.stages.filter(({ status }) => !isDone(status)).map(({ steps, ...stage }) => stage);
}
