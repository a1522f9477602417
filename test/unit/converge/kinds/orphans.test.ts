import { expect, test } from "vitest";
import { systemClock } from "../../../../services/converge/adapters/clock.ts";
import { nameOf, orphansAmong } from "../../../../services/converge/kinds/retired/orphans.ts";
import { fakeDocker } from "./fakes.ts";

const now = new Date("2026-01-01T00:01:00Z");
const clock = { ...systemClock, now: () => now };

/** The names of the orphans of a stack that has one container, which ended when it is said here. */
async function orphans(
  container: { readonly task?: string; readonly Running?: boolean; readonly FinishedAt?: string },
  tasks: readonly string[] = [],
): Promise<readonly string[]> {
  const { task = "t1", Running = false, FinishedAt = "2026-01-01T00:00:00Z" } = container;
  const Labels = task === "" ? {} : { "com.docker.swarm.task.id": task };
  const { docker } = fakeDocker({
    "GET /containers/json": [{ Id: "c1", Names: ["/old_ci_app.1.t1"], Labels, Ports: [] }],
    "GET /containers/c1/json": { State: { Running, FinishedAt } },
    ...Object.fromEntries(tasks.map((id) => [`GET /tasks/${id}`, {}])),
  });
  return (await orphansAmong(await docker.containers({ all: true }), { docker, clock })).map(
    nameOf,
  );
}

test("a container that ended and whose task the swarm has forgotten is nobody's", async () => {
  expect(await orphans({})).toEqual(["old_ci_app.1.t1"]);
  expect(await orphans({ FinishedAt: "0001-01-01T00:00:00Z" })).toEqual(["old_ci_app.1.t1"]);
});

test.each([
  ["has a task", {}, ["t1"]],
  ["runs", { Running: true }, []],
  [
    "ended just now, so that Docker may be about to remove it",
    { FinishedAt: "2026-01-01T00:00:51Z" },
    [],
  ],
  ["is of no task", { task: "" }, []],
])("a container is let alone that %s", async (_, container, tasks) => {
  expect(await orphans(container, tasks)).toEqual([]);
});
