import { describe, expect, test } from "vitest";
import type { Service, Task } from "../../../../services/converge/adapters/docker-schemas.ts";
import {
  isAiling,
  judge,
  lastWordsOf,
  specDifference,
} from "../../../../services/converge/kinds/stack/health.ts";
import { modelService, serviceOf, stack, taskOf } from "./stack-parts.ts";

const containers = new Set(["container-1", "container-2"]);
const look = (service: Service | undefined, ...tasks: readonly Task[]) =>
  judge(stack, modelService, service, tasks, containers);
const updating = (State: string) =>
  serviceOf({ UpdateStatus: { State, Message: "", StartedAt: "2026-01-01T00:00:02Z" } });
const ended = (State: string, Err: string, code = 0, parts: Partial<Task> = {}) =>
  taskOf({
    ...{ ID: `${State}-${Err}`, DesiredState: "shutdown", ...parts },
    status: { State, Err, ContainerStatus: { ContainerID: "x", ExitCode: code } },
  });

describe("a service", () => {
  test("runs when its tasks run what its spec says", () => {
    expect(look(serviceOf(), taskOf())).toEqual({ is: "running", tasks: [taskOf()] });
    expect(look(updating("completed"), taskOf())).toMatchObject({ is: "running" });
    const older = ended("shutdown", "", 0, { DesiredState: "shutdown" });
    expect(look(serviceOf(), older, taskOf())).toMatchObject({ is: "running" });
  });

  test.for<[string, readonly Task[], string]>([
    ["its task starts", [taskOf({ status: { State: "starting" } })], "0 of 1 tasks run (starting)"],
    ["there is no task", [], "0 of 1 tasks run"],
    [
      "a crash loop waits",
      [
        taskOf({ status: { State: "ready" }, DesiredState: "ready" }),
        ended("failed", "exit (3)", 3),
      ],
      "0 of 1 tasks run",
    ],
    ["an image is absent", [ended("rejected", "No such image: web:1.0.0")], "0 of 1 tasks run"],
    [
      "a stop-first update stops the old task",
      [taskOf({ DesiredState: "shutdown" }), taskOf({ ID: "b", status: { State: "new" } })],
      "0 of 1 tasks run (new)",
    ],
    [
      "a start-first update runs both",
      [taskOf(), taskOf({ ID: "b", status: { ContainerStatus: { ContainerID: "container-2" } } })],
      "2 of 1 tasks run",
    ],
    [
      "its container is gone since the daemon's start",
      [taskOf({ status: { ContainerStatus: { ContainerID: "gone" } } })],
      "0 of 1 tasks run (an older one runs)",
    ],
  ])("is waited for when %s", ([, tasks, what]) => {
    expect(look(serviceOf(), ...tasks)).toEqual({ is: "waiting", what });
  });

  test.for<[string, Parameters<typeof taskOf>[0]]>([
    ["Image", { container: { Image: "web:0.9.0" } }],
    ["Env", { container: { Env: ["A=2"] } }],
    ["Args", { container: { Args: ["x"] } }],
    ["Command", { container: { Command: ["x"] } }],
    ["Secrets", { container: { Secrets: [] } }],
    ["Configs", { container: { Configs: [] } }],
    ["Mounts", { container: { Mounts: [{ Target: "/x" }] } }],
    ["Labels", { container: { Labels: { a: "b" } } }],
    ["Healthcheck", { container: { Healthcheck: { Test: ["NONE"] } } }],
  ])("is waited for when its task has another %s", ([, parts]) => {
    expect(look(serviceOf(), taskOf(parts))).toMatchObject({ is: "waiting" });
  });

  test("is as its last update ended, however well it looks", () => {
    expect(look(updating("updating"), taskOf())).toMatchObject({ is: "waiting" });
    expect(look(updating("paused"), taskOf())).toEqual({ is: "paused" });
    for (const state of ["rollback_started", "rollback_completed", "rollback_paused"]) {
      expect(look(updating(state), taskOf())).toEqual({ is: "rolled-back" });
    }
  });

  test("that is not there will not come by waiting", () => {
    expect(look(undefined)).toEqual({ is: "other", what: "it is not there" });
  });

  test("may have no task, or one on every node, or end for good", () => {
    const none = serviceOf({ spec: { Mode: { Replicated: { Replicas: 0 } } } });
    const noneWanted = { ...modelService, replicas: 0 };
    expect(judge(stack, noneWanted, none, [], containers)).toEqual({ is: "running", tasks: [] });
    const everywhere = { ...modelService, replicas: undefined };
    const global = serviceOf({ spec: { Mode: { Global: {} } } });
    expect(judge(stack, everywhere, global, [taskOf()], containers)).toMatchObject({
      is: "running",
    });
    const job = serviceOf({ spec: { Mode: { ReplicatedJob: { MaxConcurrent: 1 } } } });
    const done = ended("complete", "");
    expect(judge(stack, everywhere, job, [done], containers)).toMatchObject({ is: "running" });
    expect(judge(stack, everywhere, job, [], containers)).toMatchObject({ is: "waiting" });
  });
});

describe("a spec", () => {
  test("is the recipe's with what Docker and abra add to it", () => {
    expect(specDifference(stack, modelService, serviceOf())).toBeUndefined();
  });

  test.for<[string, Service, string]>([
    [
      "image",
      serviceOf({ container: { Image: "web:1.1.0" } }),
      "its image is web:1.1.0 instead of web:1.0.0",
    ],
    [
      "secrets",
      serviceOf({ container: { Secrets: [] } }),
      `its secrets are none instead of ${stack}_token_1`,
    ],
    [
      "configs",
      serviceOf({ container: { Configs: [{ ConfigName: "old" }] } }),
      `its configs are old instead of ${stack}_page_v1`,
    ],
    [
      "number of tasks",
      serviceOf({ spec: { Mode: { Replicated: { Replicas: 3 } } } }),
      "it has 3 tasks instead of 1",
    ],
    [
      "labels",
      serviceOf({ spec: { Labels: {} } }),
      "its label traefik.enable is '' instead of 'true'",
    ],
  ])("differs in its %s", ([, service, what]) => {
    expect(specDifference(stack, modelService, service)).toBe(what);
  });
});

describe("last words", () => {
  test("are those of the newest tasks, each once, with how they ended", () => {
    const at = (CreatedAt: string) => ({ CreatedAt });
    const words = lastWordsOf([
      ended("failed", "task: non-zero exit (3)", 3, at("2026-01-01T00:00:01Z")),
      ended("failed", "task: non-zero exit (3)", 3, at("2026-01-01T00:00:02Z")),
      ended("failed", "starting container failed", 127, at("2026-01-01T00:00:04Z")),
      taskOf({
        ...at("2026-01-01T00:00:05Z"),
        status: { State: "pending", Err: "no suitable node" },
      }),
      taskOf(at("2026-01-01T00:00:06Z")),
    ]);
    expect(words).toBe(
      "no suitable node; starting container failed (exit 127); task: non-zero exit (3)",
    );
    expect(lastWordsOf([taskOf()])).toBe("no task says why");
    expect(lastWordsOf([ended("complete", "")])).toBe("a task ended by itself or was not healthy");
  });

  test("are of this deploy, and not of older ones that Docker remembers", () => {
    const old = ended("failed", "old", 0, { CreatedAt: "2026-01-01T00:00:00Z" });
    const fresh = ended("failed", "new", 0, { CreatedAt: "2026-01-01T00:01:00.123456789Z" });
    expect(lastWordsOf([old, fresh], new Date("2026-01-01T00:01:00Z"))).toBe("new");
  });
});

test("a service ails while fewer of its tasks run than should", () => {
  expect(isAiling(serviceOf(), [taskOf()])).toBe(false);
  expect(isAiling(serviceOf(), [taskOf({ status: { State: "starting" } })])).toBe(true);
  expect(isAiling(serviceOf({ spec: { Mode: { Replicated: { Replicas: 0 } } } }), [])).toBe(false);
});
