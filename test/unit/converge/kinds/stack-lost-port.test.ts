import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Task } from "../../../../services/converge/adapters/docker-schemas.ts";
import { Systemd } from "../../../../services/converge/adapters/systemd.ts";
import { waitForRuns } from "../../../../services/converge/kinds/stack/lost-port.ts";
import { writeNote } from "../../../../services/lib/living-runs.ts";
import { serviceOf, stack, taskOf } from "./stack-parts.ts";
import { converge, lineOf, perform, Scene, shown } from "./stack-scene.ts";

const Err = "on endpoint gateway_1: Bind for 0.0.0.0:443 failed: port is already allocated";
const restart = "docker restart docker.service";

/** A task that ended, at that time. */
function ended(at: Date, words: string): Task {
  const status = { State: "failed", Err: words, Timestamp: at.toISOString() };
  return taskOf({ ID: `task-${words.length}`, CreatedAt: at.toISOString(), status });
}

/** A task that was refused its port just now, and the next one on its way. */
function refusedNow({ clock }: Scene): Task[] {
  return [ended(clock.now(), Err), taskOf({ status: { State: "starting" } })];
}

/** A stack that was seen to work, and whose tasks get no port since: one after the other is refused it. */
async function sceneWithout(): Promise<Scene> {
  const scene = new Scene();
  await converge(scene.steps());
  scene.tasks = refusedNow(scene);
  scene.during = () => {
    scene.tasks = refusedNow(scene);
  };
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
    scene.tasks = refusedNow(scene);
    expect(await shown(scene.steps())).toEqual([restart]);
  });

  test.for<{ name: string; change: (scene: Scene) => void }>([
    { name: "a container has it", change: (scene) => scene.containers.push(withPort(443)) },
    {
      name: "another daemon said so",
      change: (scene) => {
        scene.dockerStart = new Date("2026-01-02T00:00:00Z");
      },
    },
    {
      name: "the service runs",
      change: (scene) => {
        scene.tasks = [...refusedNow(scene), taskOf()];
      },
    },
    {
      name: "a task got it a moment later",
      change: (scene) => {
        scene.during = () => {
          scene.tasks = [...refusedNow(scene), taskOf()];
        };
      },
    },
    {
      name: "a container has it a moment later",
      change: (scene) => {
        const { during } = scene;
        scene.during = (slept) => {
          during(slept);
          scene.containers = [withPort(443)];
        };
      },
    },
    {
      name: "a newer task got it and ended otherwise",
      change: (scene) => {
        const later = new Date(scene.clock.now().getTime() + 1);
        scene.tasks = [...refusedNow(scene), ended(later, "task: non-zero exit (3)")];
      },
    },
    {
      name: "no task is refused it once more",
      change: (scene) => {
        scene.during = () => undefined;
      },
    },
  ])("is not lost when $name", async ({ change }) => {
    const scene = await sceneWithout();
    change(scene);
    expect(await shown(scene.steps())).not.toContain(restart);
  });

  test.for([true, false])(
    "is one once it is refused again a while later, and not before (may wait: %s)",
    async (mayWait) => {
      const scene = await sceneWithout();
      const before = scene.clock.monotonic();
      expect(await shown(scene.steps({ mayWait }))).toEqual([restart]);
      expect(scene.clock.monotonic()).toBe(before + 3);
    },
  );

  test("is told when Docker does not come up again", async () => {
    const scene = await sceneWithout();
    scene.restartFailure = "Job for docker.service failed.";
    const line = await lineOf(perform(scene.steps(), "prepare"));
    expect(line).toMatchObject({ id: "docker-not-restarted", as: "failed" });
    expect(line.text).toContain("the same one runs on (Job for docker.service failed.)");
  });

  test("is left alone where it cannot be noted that Docker was restarted for it", async () => {
    const scene = await sceneWithout();
    scene.isFull = true;
    await expect(perform(scene.steps(), "prepare")).rejects.toThrow("ENOSPC");
    expect(scene.restarted).toEqual([]);
  });

  test("ends the wait for a service, long before its time is over", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = refusedNow(scene);
      scene.during = () => {
        scene.tasks = refusedNow(scene);
      };
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-port-lost", as: "failed" });
    expect(line.text).toContain(`Docker gives ${stack}_app no port 443`);
    expect(scene.clock.monotonic()).toBe(4);
  });

  test("is waited for as any other, when a container has it", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = refusedNow(scene);
      scene.containers = [withPort(443)];
    };
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "service-not-up" });
  });

  test("stays lost as long as tests run, which a restart of Docker would end", async () => {
    // given
    const scene = await sceneWithout();
    scene.runs = ["cc-ci-run@7.service"];
    // when, then
    const waits = await lineOf(scene.steps().plan());
    expect(waits).toMatchObject({ id: "docker-restart-waits", as: "pending" });
    expect(waits.text).toContain("waits for what that would end, cc-ci-run@7.service;");
    // when one begins after the plan
    scene.runs = [];
    const steps = scene.steps();
    const calls = await steps.plan();
    scene.runs = ["cc-ci-run@8.service"];
    expect((await lineOf(calls[0]?.perform() ?? Promise.resolve())).id).toBe(
      "docker-restart-waits",
    );
    expect([scene.restarted, scene.notedDaemon]).toEqual([[], undefined]);
    // when none runs any more
    scene.runs = [];
    await perform(scene.steps(), "prepare");
    expect(scene.restarted).toEqual(["docker.service"]);
  });

  test("names the tests that it waits for", async () => {
    const living = mkdtempSync(join(tmpdir(), "cc-ci-living-"));
    mkdirSync(join(living, "1"));
    const since = "2026-01-01T00:00:00.000Z";
    await writeNote(join(living, "1"), {
      ...{ id: "1".repeat(16), recipe: "wiki", since, isCancelled: false },
    });
    const systemd = new Systemd();
    systemd.matching = async () => ["cc-ci-run@1.service", "cc-ci-run@2.service"];
    const lost = { service: "gateway", port: 443 };
    const line = await lineOf(waitForRuns(lost, systemd, living));
    expect(line.text).toContain(`${"1".repeat(16)} (wiki, since ${since}), cc-ci-run@2.service;`);
    rmSync(living, { recursive: true });
  });
});
