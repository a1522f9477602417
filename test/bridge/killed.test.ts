import { describe, expect, test } from "vitest";
import { Play, scripts } from "./play.ts";
import { sharedStage } from "./shared-stage.ts";

type Moment = "before" | "after";

const everyKill = process.env.EVERY_KILL === "true";

/**
 * Each step of each script, found out by a play that nobody disturbs. In a row one play is killed at all of its steps;
 * with EVERY_KILL=true in the environment each step has a play of its own, which goes on to its end after that.
 */
describe.concurrent(`killed at each step${everyKill ? "" : " in a row"}, the bridge`, () => {
  const shared = sharedStage();

  test.for(Object.entries(scripts))(
    "[11] [12] [17] [18] loses nothing of %s, and does nothing of it twice",
    async ([, script]) => {
      const { stage } = shared();
      // given
      const steps = await undisturbed();
      // when
      for (const moment of ["before", "after"] as const) {
        const killed = everyKill ? [] : await killedInARow(moment);
        const isKilled = (step: string) => killed.map(kindOf).includes(kindOf(step));
        for (const [index, step] of steps.entries()) {
          // In a row one is passed over now and then, for two things go on beside each other: so it is at another
          // place at times.
          const places = [index, index + 1, index - 1].filter((place) => place >= 0);
          if (everyKill) killed.push(await killedOnce(index + 1, moment));
          for (const place of places) {
            if (!isKilled(step)) killed.push(await killedOnce(place + 1, moment));
          }
        }
        // then
        expect(steps.filter((step) => !isKilled(step))).toEqual([]);
      }

      async function undisturbed(): Promise<readonly string[]> {
        await using play = await Play.begin(stage, script);
        await play.bridge.start();
        return await play.expectEnd();
      }

      async function killedOnce(step: number, moment: Moment): Promise<string> {
        await using play = await Play.begin(stage, script);
        // It may come to its end with fewer steps.
        await play.startUpTo(step, moment);
        const [name = ""] = play.steps.slice(-1);
        await play.bridge.kill();
        await play.bridge.start();
        await play.expectEnd();
        return name;
      }

      async function killedInARow(moment: Moment): Promise<string[]> {
        await using play = await Play.begin(stage, script);
        const killed = await killLives(play, moment);
        await play.bridge.start();
        await play.expectEnd();
        return killed;
      }
    },
  );
});

/** Without what it is about. */
function kindOf(step: string): string {
  return step.replace(/,.*/, "");
}

/**
 * Kills life after life, each at the first step that none was killed at yet: what the last one was killed at is done
 * again, and mostly comes first.
 *
 * @returns what they were killed at
 */
async function killLives(play: Play, moment: Moment): Promise<string[]> {
  const killed: string[] = [];
  let step = 1;
  let second = "";
  for (;;) {
    const isThere = await play.startUpTo(step, moment);
    const { steps } = play;
    await play.bridge.kill();
    const [name] = steps.slice(-1);
    if (!isThere || name === undefined) return killed;
    const isNew = !killed.includes(name);
    killed.push(name);
    // Two steps that are noted together are done again together.
    const isStuck = step === 2 && steps.join() === second;
    if (step === 2) second = steps.join();
    if (isNew) step = 1;
    else if (step === 1) step = 2;
    else step = isStuck ? 3 : 1;
  }
}
