import { expect } from "vitest";
import { isFinal } from "../../../services/lib/drone/outcome.ts";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";
import { DroneApi } from "./drone-api.ts";
import { seededForgeOfHosts } from "./drone-host.ts";
import { TestRuns } from "./test-runs.ts";

/** An idle runner asks once in a while: a build may wait that long although a place is free, in seconds. */
export const pickUpSeconds = 30;

/** Whether nothing more comes of a build; Drone ends it first, and then what is in it. */
export function isOver({ status, stages }: Build): boolean {
  return isFinal(status) && stages.every((stage) => isFinal(stage.status));
}

/** What a build and its first step ended with. */
export function endOf({ status, stages }: Build) {
  return [status, stages[0]?.steps[0]?.exit_code];
}

/** The place of the one before is free. */
export async function expectNextRuns(host: Host): Promise<void> {
  const drone = new DroneApi(host);
  await drone.answers();
  const { number } = await drone.start(await seededForgeOfHosts(), { recipe: "quick" });
  expect((await drone.until(number, isOver, 2 * pickUpSeconds)).status).toBe("success");
}

/** A run was ended, for such a reason, and nothing of it is left. */
export async function expectAborted(host: Host, id: string, reason: RegExp): Promise<void> {
  const runs = new TestRuns(host);
  await until("the results of the run", 60, async () => runs.resultsOf(id));
  expect(runs.resultsOf(id)).toMatchObject({ outcome: "aborted" });
  expect(runs.resultsOf(id)?.reason).toMatch(reason);
  await expectNothingLeft(host);
}

/** No process, unit or folder of a run, and no process or workspace of a build. */
export async function expectNothingLeft(host: Host): Promise<void> {
  await new TestRuns(host).none();
  await until("a runner that is up", 60, async () =>
    (await host.unit("cc-ci-runner.service")).state === "active" ? true : undefined,
  );
  const { stdout } = await host.exec([
    ...["sh", "-c", "ls /run/cc-ci-runner; ps -u cc-ci-runner -o args="],
  ]);
  const left = stdout.split("\n").filter((line) => line !== "");
  // The pipe that its settings went through, and the daemon itself.
  const own = left.filter((line) => /^[0-9a-f]{12}$|drone-runner-exec daemon/.test(line));
  expect(left).toEqual(own);
  expect(own).toHaveLength(2);
}
