import type { Service, Task } from "../../adapters/docker-schemas.ts";
import { isSameImage } from "../../adapters/image-reference.ts";
import type { ModelService } from "../../adapters/stack-model.ts";
import { stableJson } from "../../engine/stable-json.ts";

/** What a service of the stack is at one look. */
export type Health =
  /** All its tasks run what its spec says; `tasks` are theirs. */
  | { readonly is: "running"; readonly tasks: readonly Task[] }
  | { readonly is: "waiting"; readonly what: string }
  /** It will not come right by waiting. */
  | { readonly is: "rolled-back" | "paused" }
  | { readonly is: "other"; readonly what: string };

/** What of a task's own copy must be as the service's spec: the rest differs in a well one too. */
const compared = [
  "Image",
  "Env",
  "Args",
  "Command",
  "Secrets",
  "Configs",
  "Mounts",
  "Labels",
  "Healthcheck",
] as const;

/** How many different endings of tasks are told. */
const toldEndings = 3;

/**
 * Judges one service. The state of the last update comes first: after a rollback the old spec is back
 * and all looks well.
 *
 * @param containers ids of those that run: for a moment after the daemon's start a task still says
 *   that it runs, when its container is long gone
 */
export function judge(
  stack: string,
  wanted: ModelService,
  service: Service | undefined,
  tasks: readonly Task[],
  containers: ReadonlySet<string>,
): Health {
  if (service === undefined) return { is: "other", what: "it is not there" };
  const update = service.UpdateStatus?.State ?? "";
  if (update.startsWith("rollback_")) return { is: "rolled-back" };
  if (update === "paused") return { is: "paused" };
  const difference = specDifference(stack, wanted, service);
  if (difference !== undefined) return { is: "other", what: difference };
  if (isJob(service)) return judgeJob(tasks);
  const current = tasks.filter(({ DesiredState }) => DesiredState === "running");
  const running = current.filter((task) => runs(task, service, containers));
  const count = taskCount(service);
  if (running.length !== count || current.length !== count) {
    const states = current
      .filter((task) => !running.includes(task))
      .map(({ Status }) => (Status.State === "running" ? "an older one runs" : Status.State));
    const rest = states.length === 0 ? "" : ` (${[...new Set(states)].sort().join(", ")})`;
    return { is: "waiting", what: `${running.length} of ${count} tasks run${rest}` };
  }
  if (update === "updating") return { is: "waiting", what: "its update goes on" };
  return { is: "running", tasks: running };
}

/** How many tasks the service should have; a swarm of ours has one node. */
function taskCount({ Spec }: Pick<Service, "Spec">): number {
  return Spec.Mode.Replicated === undefined ? 1 : (Spec.Mode.Replicated.Replicas ?? 1);
}

/** Whether fewer tasks run than should. */
export function isAiling(service: Service, tasks: readonly Task[]): boolean {
  const running = tasks.filter(
    ({ DesiredState, Status }) => DesiredState === "running" && Status.State === "running",
  );
  return !isJob(service) && running.length < taskCount(service);
}

/** What `lastWordsOf` says where no task says anything. */
export const noWords = "no task says why";

/**
 * What the newest tasks that ended badly, or cannot start, say of it; each saying once.
 *
 * @param since leaves out what was told before: Docker keeps a few tasks of older states
 */
export function lastWordsOf(tasks: readonly Task[], since = new Date(0)): string {
  const said = tasks
    .filter(({ CreatedAt }) => Date.parse(CreatedAt) >= since.getTime())
    .toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1))
    .flatMap(({ Status }) => {
      const code = Status.ContainerStatus?.ExitCode ?? 0;
      // One that is not healthy is asked to end, and may do so without a complaint.
      if (Status.State === "complete") return ["a task ended by itself or was not healthy"];
      if (Status.Err === "" && !["failed", "rejected"].includes(Status.State)) return [];
      const words = Status.Err || Status.Message || Status.State;
      return [code === 0 || words.includes(String(code)) ? words : `${words} (exit ${code})`];
    });
  return [...new Set(said)].slice(0, toldEndings).join("; ") || noWords;
}

/**
 * In which way Docker has the service other than the recipe's files say, as far as a deploy must have
 * brought it over; undefined when it has not.
 */
export function specDifference(
  stack: string,
  wanted: ModelService,
  { Spec }: Service,
): string | undefined {
  const container = Spec.TaskTemplate.ContainerSpec;
  const image = container?.Image ?? "";
  if (!isSameImage(wanted.image, image)) {
    return `its image is ${image || "none"} instead of ${wanted.image}`;
  }
  const lists = [
    ["secrets", wanted.secrets, container?.Secrets.map(({ SecretName }) => SecretName) ?? []],
    ["configs", wanted.configs, container?.Configs.map(({ ConfigName }) => ConfigName) ?? []],
  ] as const;
  for (const [what, names, actual] of lists) {
    const theirs = [...new Set(actual)].sort();
    if (stableJson(theirs) !== stableJson(names)) {
      return `its ${what} are ${theirs.join(", ") || "none"} instead of ${names.join(", ") || "none"}`;
    }
  }
  if (wanted.replicas !== undefined && wanted.replicas !== taskCount({ Spec })) {
    return `it has ${taskCount({ Spec })} tasks instead of ${wanted.replicas}`;
  }
  const label = Object.keys(wanted.labels).find(
    (key) => !isOfAbra(stack, key) && Spec.Labels[key] !== wanted.labels[key],
  );
  return label === undefined
    ? undefined
    : `its label ${label} is '${Spec.Labels[label] ?? ""}' instead of '${wanted.labels[label]}'`;
}

/** Labels that abra sets itself, over what the recipe says of them. */
function isOfAbra(stack: string, key: string): boolean {
  const own = ["version", "chaos", "chaos-version", "recipe"];
  return own.some((name) => key === `coop-cloud.${stack}.${name}`);
}

function runs(task: Task, service: Service, containers: ReadonlySet<string>): boolean {
  const [own, wanted] = [task.Spec.ContainerSpec, service.Spec.TaskTemplate.ContainerSpec];
  return (
    task.Status.State === "running" &&
    containers.has(task.Status.ContainerStatus?.ContainerID ?? "") &&
    compared.every((member) => stableJson(own?.[member]) === stableJson(wanted?.[member]))
  );
}

/** One that is to end, and then is not started again. */
function isJob({ Spec }: Service): boolean {
  return Spec.Mode.Replicated === undefined && Spec.Mode.Global === undefined;
}

function judgeJob(tasks: readonly Task[]): Health {
  const [newest] = tasks.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1));
  return newest?.Status.State === "complete"
    ? { is: "running", tasks: [] }
    : { is: "waiting", what: `its job is ${newest?.Status.State ?? "not begun"}` };
}
