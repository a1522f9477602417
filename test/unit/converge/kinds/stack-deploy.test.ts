import { describe, expect, test } from "vitest";
import { serviceOf, stack, taskOf } from "./stack-parts.ts";

import { converge, lineOf, perform, Scene, shown } from "./stack-scene.ts";

describe("a deploy", () => {
  const state = (State: string) => ({
    UpdateStatus: { State, Message: "", StartedAt: "2026-01-01T00:00:02Z" },
  });
  const failed = taskOf({
    ...{ ID: "task-0", DesiredState: "shutdown", CreatedAt: "2026-01-01T00:00:02Z" },
    status: { State: "failed", Err: "task: non-zero exit (3)" },
  });

  test("is looked at only when Docker may say that its update goes on", async () => {
    const scene = new Scene();
    // At first the tasks of before are all that there is, and they have run for long.
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2025-01-01T00:00:00Z" } })];
    };
    scene.during = () => {
      scene.services = [serviceOf(state("rollback_started"))];
      scene.tasks = [taskOf(), failed];
    };
    const { id, text } = await lineOf(converge(scene.steps()));
    expect(id).toBe("service-rolled-back");
    expect(text).toContain("web_example_org_app back");
    expect(text).toContain("(task: non-zero exit (3))");
  });

  test.for([
    ["paused", "service-update-paused"],
    ["rollback_completed", "service-rolled-back"],
  ] as const)("that ended %s fails at once", async ([ending, id]) => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf(state(ending))];
      scene.tasks = [failed];
    };
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id, as: "failed" });
    expect(scene.clock.monotonic()).toBe(1);
  });

  test.for(["paused", "rollback_completed"])(
    "that ended %s is not done again until another state is wanted",
    async (ending) => {
      // given
      const scene = new Scene();
      scene.deploy = () => {
        scene.services = [serviceOf(state(ending))];
        scene.tasks = [failed];
      };
      const first = await lineOf(converge(scene.steps()));
      // when the same is wanted again, then it is told again and nothing is done
      const second = await lineOf(scene.steps().plan());
      expect([second.id, scene.deploys.length]).toEqual([first.id, 1]);
      // when another release is wanted
      scene.slots.fill("token-version", "2");
      scene.secrets = ["web_example_org_token_1", "web_example_org_token_2"];
      expect(await shown(scene.steps(), "apply")).toContain("app deploy web.example.org");
    },
  );

  test("that did something else fails at once", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf({ container: { Image: "web:0.9.0" } })];
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-differs" });
    expect(line.text).toContain("its image is web:0.9.0 instead of web:1.0.0");
  });

  test("that does not come up fails at its bound, with the words of its tasks", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [failed, taskOf({ status: { State: "starting" } })];
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-not-up", as: "failed" });
    expect(line.text).toContain(
      "not up after 300 s: 0 of 1 tasks run (starting) (task: non-zero exit (3))",
    );
    expect(scene.clock.monotonic()).toBe(305);
    expect(scene.report.heard).toContain(`waits: ${stack}_app: 0 of 1 tasks run (starting)`);
  });

  test("is stable once the same tasks have run for long enough, and no sooner", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2026-01-01T00:00:01Z" } })];
    };
    await converge(scene.steps());
    expect(scene.clock.monotonic()).toBeCloseTo(5, 1);
  });

  test("is stable also where the clock says that its tasks start tomorrow", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2026-01-02T00:00:00Z" } })];
    };
    await converge(scene.steps());
    expect(scene.clock.monotonic()).toBeCloseTo(6, 1);
  });

  test("is not looked at again before it can be stable", async () => {
    const scene = new Scene();
    const sleeps: number[] = [];
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { State: "starting" } })];
    };
    scene.during = (slept) => {
      sleeps.push(slept);
      const Timestamp = scene.clock.now().toISOString();
      if (sleeps.length === 3) scene.tasks = [taskOf({ status: { Timestamp } })];
    };
    await converge(scene.steps());
    // It is given how much has been slept in all.
    expect(sleeps).toEqual([1, 1.5, 2, 7.01]);
  });

  test("that somebody changed after it was seen to work is not sealed", async () => {
    const scene = new Scene();
    const steps = scene.steps();
    await perform(steps, "apply");
    await steps.verify?.();
    scene.services = [{ ...serviceOf(), Version: { Index: 9 } }];
    expect(await lineOf(perform(steps, "seal"))).toMatchObject({ id: "service-changed-meanwhile" });
  });
});
