import { describe, expect, test } from "vitest";
import { type Mode, type Moment, Play, type Script, scripts } from "./play.ts";
import { sharedStage } from "./shared-stage.ts";

const everyKill = process.env.EVERY_KILL === "true";

/**
 * Where the forge tells of a line, what differs is how that is taken in; and right before a step, from right after the
 * one before it, what is noted in between, in either mode: one script has all there is to each.
 */
const whole = "a test that passes";

/** One that is refused is answered too. */
const dispensable = "a word of help";

const cases = (["poll", "webhook"] as const).flatMap((mode) =>
  Object.entries(scripts)
    .filter(([name]) => everyKill || name !== dispensable)
    .filter(([name]) => everyKill || mode === "poll" || name === whole)
    .flatMap(([name, script]) =>
      (["before", "after"] as const)
        .filter((moment) => everyKill || moment === "after" || (mode === "poll" && name === whole))
        .map((moment) => [mode, moment, name, script] as const),
    ),
);

/**
 * Each step of each script, found out by a play that nobody disturbs. In a row one play is killed at all of its steps,
 * of which those with one name count as one: the same act on the same line, or an edit of a comment while as many
 * tests were over. With EVERY_KILL=true in the environment each step has a play of its own, which goes
 * on to its end after that.
 */
describe.concurrent(`the bridge, killed${everyKill ? "" : " in a row"}`, () => {
  const shared = sharedStage();
  const found = new Map<string, Promise<readonly string[]>>();

  test.for(cases)(
    "[11] [12] [17] [18] in mode %s %s each step of %s, loses nothing and does nothing twice",
    async ([mode, moment, name, script]) => {
      // given
      const steps = await undisturbed(mode, name, script);
      // when
      const killed = new Set<string | undefined>();
      if (!everyKill) for (const step of await killedInARow(mode, script, moment)) killed.add(step);
      for (const [index, step] of steps.entries()) {
        if (everyKill) killed.add((await killedOnce(mode, script, index + 1, moment)).at);
        // In a row one is passed over now and then, for two things go on beside each other: so it is at another place
        // at times, and where it was in the life before is where it is looked for next.
        let place = index + 1;
        for (let tries = 0; tries < 10 && !killed.has(step); tries += 1) {
          const { at, steps: all } = await killedOnce(mode, script, place, moment);
          killed.add(at);
          place = all.includes(step) ? all.indexOf(step) + 1 : all.length + 1;
        }
      }
      // then
      expect(steps.filter((step) => !killed.has(step))).toEqual([]);
    },
  );

  async function undisturbed(mode: Mode, name: string, script: Script): Promise<readonly string[]> {
    const key = `${mode} ${name}`;
    const steps = found.get(key) ?? played(mode, script);
    found.set(key, steps);
    return await steps;
  }

  async function played(mode: Mode, script: Script): Promise<readonly string[]> {
    await using play = await Play.begin(shared().stage, script, mode);
    await play.bridge.start();
    return await play.expectEnd();
  }

  async function killedOnce(
    mode: Mode,
    script: Script,
    step: number,
    moment: Moment,
  ): Promise<Life> {
    await using play = await Play.begin(shared().stage, script, mode);
    const life = await killedAt(play, step, moment);
    await play.bridge.start();
    await play.expectEnd();
    return life;
  }

  async function killedInARow(
    mode: Mode,
    script: Script,
    moment: Moment,
  ): Promise<readonly string[]> {
    await using play = await Play.begin(shared().stage, script, mode);
    const killed = await killLives(play, moment);
    await play.bridge.start();
    await play.expectEnd();
    return killed;
  }
});

/**
 * Kills life after life, each at the first step that none was killed at yet: what the last one was killed at is done
 * again, and mostly comes first.
 *
 * @returns what they were killed at
 */
async function killLives(play: Play, moment: Moment): Promise<readonly string[]> {
  const killed: string[] = [];
  let step = 1;
  let second = "";
  for (;;) {
    const { at, steps: all } = await killedAt(play, step, moment);
    if (at === undefined) return killed;
    const isNew = !killed.includes(at);
    killed.push(at);
    // Two steps that are noted together are done again together.
    const steps = all.slice(0, step).join();
    const isStuck = step === 2 && steps === second;
    if (step === 2) second = steps;
    if (isNew) step = 1;
    else if (step === 1) step = 2;
    else step = isStuck ? 3 : 1;
  }
}

/** From a start to a kill. */
interface Life {
  /** The step that it was killed at; undefined where all came to its end with fewer. */
  readonly at: string | undefined;
  /** What it did, and what was begun beside that. */
  readonly steps: readonly string[];
}

async function killedAt(play: Play, step: number, moment: Moment): Promise<Life> {
  const isThere = await play.startUpTo(step, moment);
  const { steps } = play;
  await play.bridge.kill();
  return { at: isThere ? steps[step - 1] : undefined, steps };
}
