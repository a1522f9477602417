import { isSilence } from "../../lib/drone/trouble.ts";
import type { ResourceOf } from "../desired-state.ts";
import { defineLines } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { isToBeDeployed, tokenIn } from "./drone/answers.ts";

export const runnerSecretLines = defineLines({
  "runner-secret-refused": {
    as: "pending",
    says: "{server} takes no runner that shows the secret in {path}, for it was started with another one: 'converge status drone' says why; the runner stays as it is, and the next run looks again",
  },
});

/**
 * The secret that a runner shows: Drone has to know it before a runner is started with it, which would do
 * nothing but be refused, each second anew, and look healthy to systemd and to itself.
 */
export function runnerSecretSteps(
  { server, file: path }: ResourceOf<"runner-secret">,
  context: Context,
): Steps {
  const { clock, drone } = context.world;
  const isTaken = async (): Promise<boolean> => {
    const secret = await tokenIn(path, "the secret that Drone's runner shows", context);
    try {
      return await drone({ server, token: "" }).takesRunners(secret);
    } catch (error) {
      // One that does not answer yet is what a runner waits for.
      if (isSilence(error)) return true;
      throw error;
    }
  };
  return {
    phases: [],
    require: async () => {
      if (!context.mayWait && isToBeDeployed(server, context)) return;
      if (await isTaken()) return;
      if (context.mayWait) {
        // Drone may be about to be another one.
        await clock.sleep(againAfterSeconds);
        if (await isTaken()) return;
      }
      throw runnerSecretLines.stop("runner-secret-refused", { server, path });
    },
    plan: async () => [],
  };
}

/** When Drone is asked for the second time, in seconds. */
const againAfterSeconds = 2;
