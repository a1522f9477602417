import { describe, expect, test } from "vitest";
import { type Moment, Play, type Script, scripts } from "./play.ts";
import { sharedStage } from "./shared-stage.ts";

const everyKill = process.env.EVERY_KILL === "true";

/**
 * Each step of each script, found out by a play that nobody disturbs. In a row one play is killed at all of its steps;
 * with EVERY_KILL=true in the environment each step has a play of its own, which goes on to its end after that.
 */
describe.concurrent(`the bridge, killed${everyKill ? "" : " in a row"}`, () => {
  const shared = sharedStage();
  const moments = ["before", "after"] as const;
  const cases = Object.entries(scripts).flatMap(([name, script]) =>
    moments.map((moment) => [moment, name, script] as const),
  );
  const found = new Map<Script, Promise<readonly string[]>>();

  test.for(cases)(
    "[11] [12] [17] [18] %s each step of %s, loses nothing and does nothing twice",
    async ([moment, , script]) => {
      // given
      const steps = await undisturbed(script);
      // when
      const killed = everyKill ? [] : await killedInARow(script, moment);
      const isKilled = (step: string) => killed.map(kindOf).includes(kindOf(step));
      for (const [index, step] of steps.entries()) {
        if (everyKill) killed.push(await killedOnce(script, index + 1, moment));
        // In a row one is passed over now and then, for two things go on beside each other: so it is at another place
        // at times.
        const places = [index, index + 1, index - 1].filter((place) => place >= 0);
        for (const place of places) {
          if (!isKilled(step)) killed.push(await killedOnce(script, place + 1, moment));
        }
      }
      // then
      expect(steps.filter((step) => !isKilled(step))).toEqual([]);
    },
  );

  async function undisturbed(script: Script): Promise<readonly string[]> {
    const steps = found.get(script) ?? played(script);
    found.set(script, steps);
    return await steps;
  }

  async function played(script: Script): Promise<readonly string[]> {
    await using play = await Play.begin(shared().stage, script);
    await play.bridge.start();
    return await play.expectEnd();
  }

  /** @returns what it was killed at */
  async function killedOnce(script: Script, step: number, moment: Moment): Promise<string> {
    await using play = await Play.begin(shared().stage, script);
    // It may come to its end with fewer steps.
    await play.startUpTo(step, moment);
    const [name = ""] = play.steps.slice(-1);
    await play.bridge.kill();
    await play.bridge.start();
    await play.expectEnd();
    return name;
  }

  async function killedInARow(script: Script, moment: Moment): Promise<string[]> {
    await using play = await Play.begin(shared().stage, script);
    const killed = await killLives(play, moment);
    await play.bridge.start();
    await play.expectEnd();
    return killed;
  }
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
