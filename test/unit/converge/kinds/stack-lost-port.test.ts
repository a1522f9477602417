import { describe, expect, test } from "vitest";
import { serviceOf, stack, taskOf } from "./stack-parts.ts";
import { converge, lineOf, perform, Scene, shown } from "./stack-scene.ts";

const Err = "on endpoint gateway_1: Bind for 0.0.0.0:443 failed: port is already allocated";
const refused = taskOf({
  ...{ ID: "task-0", DesiredState: "shutdown", CreatedAt: "2026-01-01T00:00:02Z" },
  status: { State: "failed", Err, Timestamp: "2026-01-01T00:00:03Z" },
});
const restart = "docker restart docker.service";

/** A stack that was seen to work, and whose tasks get no port since. */
async function sceneWithout(): Promise<Scene> {
  const scene = new Scene();
  await converge(scene.steps());
  scene.tasks = [refused, taskOf({ status: { State: "starting" } })];
  return scene;
}

/** A container that has a port of this host. */
function withPort(PublicPort: number): Scene["containers"][number] {
  return { Id: "c9", Names: ["/other"], Labels: {}, Ports: [{ PublicPort, Type: "tcp" }] };
}

describe("a port that Docker gives to no task", () => {
  test("is lost when no container has it, and Docker is restarted once, if that does not help", async () => {
    // given
    const scene = await sceneWithout();
    // when, then
    expect(await shown(scene.steps())).toEqual([restart]);
    await perform(scene.steps(), "prepare");
    expect(scene.restarted).toEqual(["docker.service"]);
    // when that did not help, then a person is asked
    const again = await lineOf(scene.steps().plan());
    expect(again).toMatchObject({ id: "service-port-lost-again", as: "failed" });
    expect(again.text).toContain("no port 443");
    // when another daemon has lost it since, or the port was there in between, then it is done again
    const ours = scene.dockerStart;
    scene.dockerStart = new Date(ours.getTime() + 1000);
    expect(await shown(scene.steps())).toEqual([restart]);
    scene.dockerStart = ours;
    scene.tasks = [taskOf()];
    await scene.steps().verify?.();
    scene.tasks = [refused];
    expect(await shown(scene.steps())).toEqual([restart]);
  });

  test.for<{ name: string; change: (scene: Scene) => void }>([
    { name: "a container has it", change: (scene) => scene.containers.push(withPort(443)) },
    {
      name: "another daemon said so",
      change: (scene) => {
        scene.dockerStart = new Date("2026-01-01T00:00:04Z");
      },
    },
    {
      name: "the service runs",
      change: (scene) => {
        scene.tasks = [refused, taskOf()];
      },
    },
    {
      name: "a task got it a moment later",
      change: (scene) => {
        scene.during = () => {
          scene.tasks = [refused, taskOf()];
        };
      },
    },
  ])("is not lost when $name", async ({ change }) => {
    const scene = await sceneWithout();
    change(scene);
    expect(await shown(scene.steps())).not.toContain(restart);
  });

  test.for([true, false])(
    "is looked at twice, before anything is said (may wait: %s)",
    async (mayWait) => {
      const scene = await sceneWithout();
      const before = scene.clock.monotonic();
      expect(await shown(scene.steps({ mayWait }))).toEqual([restart]);
      expect(scene.clock.monotonic()).toBe(before + 10);
    },
  );

  test("is told when Docker does not come up again", async () => {
    const scene = await sceneWithout();
    scene.restartFailure = "Job for docker.service failed.";
    const line = await lineOf(perform(scene.steps(), "prepare"));
    expect(line).toMatchObject({ id: "docker-not-restarted", as: "failed" });
    expect(line.text).toContain("(Job for docker.service failed.)");
  });

  test("ends the wait for a service, long before its time is over", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [refused, taskOf({ status: { State: "starting" } })];
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-port-lost", as: "failed" });
    expect(line.text).toContain(`Docker gives ${stack}_app no port 443`);
    expect(scene.clock.monotonic()).toBe(11);
  });

  test("is waited for as any other, when a container has it", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [refused];
      scene.containers = [withPort(443)];
    };
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "service-not-up" });
  });
});
