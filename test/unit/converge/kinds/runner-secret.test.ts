import { describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { runnerSecretSteps } from "../../../../services/converge/kinds/runner-secret.ts";
import { DroneClient } from "../../../../services/lib/drone/client.ts";
import { DroneRefusal } from "../../../../services/lib/drone/trouble.ts";
import { contextOf } from "../fake-context.ts";
import { fakeClock } from "./fakes.ts";

const resource: ResourceOf<"runner-secret"> = {
  ...{ kind: "runner-secret", server: "https://drone.ci.example.org" },
  file: "/var/lib/cc-ci/secrets/drone-rpc-secret",
};

/** Steps before a Drone that lets a runner in or not, question by question. */
function stepsWith(answers: readonly (boolean | "silent")[], mayWait = true, foreseen = "") {
  const left = [...answers];
  const files = new Files();
  files.read = async () => Buffer.from("the secret\n");
  const drone = (options: { readonly server: string; readonly token: string }): DroneClient => {
    const client = new DroneClient(options);
    client.takesRunners = async (secret) => {
      expect(secret).toBe("the secret");
      const answer = left.shift();
      if (answer === undefined) throw new Error("it is asked too often");
      if (answer === "silent") throw new DroneRefusal("silent", 404, "404 page not found");
      return answer;
    };
    return client;
  };
  const clock = fakeClock(new Date("2026-11-28T12:00:00Z"));
  const context = contextOf({
    world: { clock, drone, files },
    mayWait,
    foreseen: new Set([foreseen]),
  });
  return runnerSecretSteps(resource, context);
}

describe("the runner is not touched", () => {
  test.for<[string, ReturnType<typeof stepsWith>]>([
    ["when Drone refuses its secret twice", stepsWith([false, false])],
    ["by a plan, when Drone refuses its secret", stepsWith([false], false)],
  ])("%s", async ([, steps]) => {
    const line = { id: "runner-secret-refused", as: "pending" };
    await expect(steps.require?.()).rejects.toMatchObject({ line });
  });
});

describe("the runner is seen to", () => {
  test.for<[string, ReturnType<typeof stepsWith>]>([
    ["when Drone takes its secret", stepsWith([true])],
    ["when Drone takes its secret in the end", stepsWith([false, true])],
    ["when Drone does not answer, as it waits for that itself", stepsWith(["silent"])],
    ["when Drone is deployed before", stepsWith([], false, "app deploy drone.ci.example.org")],
  ])("%s", async ([, steps]) => {
    await steps.require?.();
    expect(await steps.plan()).toEqual([]);
  });
});
