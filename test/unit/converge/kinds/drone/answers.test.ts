import { describe, expect, test } from "vitest";
import { droneAnswer } from "../../../../../services/converge/kinds/drone/answers.ts";
import { DroneClient } from "../../../../../services/lib/drone/client.ts";
import { DroneRefusal, type Trouble } from "../../../../../services/lib/drone/trouble.ts";
import { contextOf } from "../../fake-context.ts";
import { fakeClock } from "../fakes.ts";

const server = "https://drone.ci.example.org";
const asked = { server, forge: "https://git.example.org", waitSeconds: 10 };

/** A question that is refused in these ways, one after the other, and answered then. */
function questionWith(...troubles: readonly Trouble[]) {
  const left = [...troubles];
  const clock = fakeClock(new Date("2026-11-28T12:00:00Z"));
  const times: number[] = [];
  const ask = async (): Promise<string> => {
    times.push(clock.monotonic());
    const trouble = left.shift();
    if (trouble !== undefined) throw new DroneRefusal(trouble, 0, `it is ${trouble}`);
    return "the answer";
  };
  return { ask, clock, times };
}

/** How Drone answers who asks with a token of nobody's. */
function droneThat(trouble: Trouble) {
  return ({ token }: { readonly token: string }): DroneClient => {
    const client = new DroneClient({ server, token });
    client.user = async () => {
      throw new DroneRefusal(trouble, 0, `it is ${trouble}`);
    };
    return client;
  };
}

const always = (trouble: Trouble) => questionWith(...Array<Trouble>(20).fill(trouble));

describe("a question to Drone", () => {
  test("that nobody answers yet is asked again within its bound", async () => {
    const { ask, clock, times } = questionWith("silent", "late");
    expect(await droneAnswer(asked, contextOf({ world: { clock } }), ask)).toBe("the answer");
    expect(times).toEqual([0, 2, 4]);
  });

  test.for<[string, Trouble, Trouble, string]>([
    ["the forge", "late", "token-refused", "drone-forge-silent"],
    ["Drone", "late", "late", "drone-silent"],
    ["Drone", "late", "silent", "drone-silent"],
    ["Drone", "silent", "token-refused", "drone-silent"],
  ])("has %s to blame when it is %s, and one about nobody is %s", async ([, its, others, id]) => {
    const { ask, clock } = always(its);
    const context = contextOf({ world: { clock, drone: droneThat(others) } });
    await expect(droneAnswer(asked, context, ask)).rejects.toMatchObject({ line: { id } });
  });

  test.for<Trouble>(["token-refused", "login-dead"])(
    "whose answer is grave (%s) is asked for a second time, a while later",
    async (trouble) => {
      const once = questionWith(trouble);
      const context = contextOf({ world: { clock: once.clock } });
      expect(await droneAnswer(asked, context, once.ask)).toBe("the answer");
      expect(once.times).toEqual([0, 2]);
      const { ask, clock, times } = always(trouble);
      const refused = droneAnswer(asked, contextOf({ world: { clock } }), ask);
      await expect(refused).rejects.toMatchObject({ trouble });
      expect(times).toEqual([0, 2]);
    },
  );

  test("is asked once in a plan, and of what is not grave", async () => {
    const plan = always("token-refused");
    const context = contextOf({ world: { clock: plan.clock }, mayWait: false });
    await expect(droneAnswer(asked, context, plan.ask)).rejects.toThrow("it is token-refused");
    const run = always("not-found");
    const inARun = contextOf({ world: { clock: run.clock } });
    await expect(droneAnswer(asked, inARun, run.ask)).rejects.toThrow("it is not-found");
    expect([plan.times, run.times]).toEqual([[0], [0]]);
  });
});
