import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeComment, wordsFor } from "../unit/bridge/model/fake-forge.ts";
import { type Choice, Pipeline } from "../unit/bridge/model/pipeline.ts";
import { comeToRest, unrest } from "../unit/bridge/model/rest.ts";
import { begun, steps } from "../unit/bridge/model/steps.ts";

/** How many stories are told; more of them by hand, when something of the pipeline changes. */
const numRuns = Number(process.env.OUTBOX_RUNS ?? 60);

const choices: fc.Arbitrary<Choice> = fc.record({
  mode: fc.constantFrom("poll", "webhook"),
  forks: fc.constantFrom("with-commit", "accepted", "refused"),
  isLogPublic: fc.boolean(),
  isTight: fc.constantFrom(false, false, false, true),
});

let folder = "";
let count = 0;

beforeAll(() => {
  // In memory, where the machine has such a folder: each record waits for the disk.
  const memory = "/dev/shm";
  folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), "cc-ci-outbox-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inPipeline(choice: Choice, story: (pipeline: Pipeline) => Promise<void>) {
  count += 1;
  const path = join(folder, `${count}.sqlite`);
  const pipeline = new Pipeline(path, choice);
  try {
    await begun(pipeline);
    await story(pipeline);
  } finally {
    pipeline.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
  }
}

test("whatever happens in whatever order, each command has one end, and each is told of as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      choices,
      fc.commands(steps, { maxCommands: 80, size: "max" }),
      async (choice, commands) => {
        await inPipeline(choice, async (pipeline) => {
          await fc.asyncModelRun(() => ({ model: pipeline, real: pipeline }), commands);
          await comeToRest(pipeline);
          expect(unrest(pipeline)).toEqual([]);
        });
      },
    ),
    { numRuns },
  );
}, 1_200_000);

const usual: Choice = { mode: "poll", forks: "accepted", isLogPublic: true, isTight: false };

const member = { id: 10, login: "ann" };

function ask(pipeline: Pipeline): FakeComment {
  const pull = pipeline.pullAt(0);
  return pipeline.forge.write(pull, member, wordsFor(pull, "test"));
}

test("an end is told of, however long nobody could be told", async () => {
  await inPipeline(usual, async (pipeline) => {
    const { forge, drone, clock } = pipeline;
    const comment = ask(pipeline);
    await pipeline.goOn(30_000);
    drone.trouble.mood = "silent";
    clock.pass(2 * 3_600_000);
    // Of what happened before that, no look tells any more.
    forge.setOpen(pipeline.pullAt(1), false);
    await pipeline.goOn(60_000);
    // when it passes while the forge is away
    forge.trouble.mood = "silent";
    drone.trouble.heal();
    drone.work();
    clock.pass(60_000);
    drone.work();
    await pipeline.goOn(600_000);
    clock.pass(50 * 3_600_000);
    forge.trouble.heal();
    await pipeline.goOn(600_000);
    // then
    expect([...(comment.reactions.get("ci-bot") ?? [])]).toEqual(["+1"]);
    const [told] = [...forge.comments.values()].filter(({ user }) => user.login === "ci-bot");
    expect(told?.body).toContain("✅ passed");
  });
});

test("comments that the forge is strange about keep no others waiting, nor the bridge awake", async () => {
  await inPipeline(usual, async (pipeline) => {
    const { forge, clock, records, witness } = pipeline;
    const asked = Array.from({ length: 120 }, () => ask(pipeline).id);
    for (const id of asked) forge.strange.add(id);
    // when
    for (let turn = 0; turn < 80; turn += 1) {
      await pipeline.forgeTurn();
      clock.pass(300_000);
    }
    // then
    expect(records.commands.countUnjudged()).toBe(0);
    expect(records.attempts.countParked(0)).toBe(asked.length);
    expect(await pipeline.forgeTurn()).toBeGreaterThan(clock.now());
    const comment = ask(pipeline);
    await pipeline.goOn(60_000);
    expect(witness.judged.get(comment.id)?.verdict).toBe("accepted");
  });
});

test("[22] what could not be told for hours is given up, and told when there is something new", async () => {
  await inPipeline(usual, async (pipeline) => {
    const { forge, drone, clock, records } = pipeline;
    ask(pipeline);
    await pipeline.goOn(30_000);
    // when it passes while the forge answers with what nobody understands
    forge.trouble.mood = "strange";
    drone.work();
    clock.pass(60_000);
    drone.work();
    for (let turn = 0; turn < 80; turn += 1) {
      await pipeline.droneTurn();
      await pipeline.forgeTurn();
      clock.pass(300_000);
    }
    // then
    const pull = pipeline.pullAt(0);
    const item = `${pull.repository}#${pull.number}`;
    expect(records.attempts.find("tell", item)).toMatchObject({ isParked: true, noes: 30 });
    const told = () => [...forge.comments.values()].find(({ user }) => user.login === "ci-bot");
    expect(told()?.body).not.toContain("✅ passed");
    // when
    forge.trouble.heal();
    forge.push(pull, 0, false);
    await pipeline.goOn(600_000);
    // then
    expect(told()?.body).toContain("✅ passed");
    expect(told()?.body).toContain("**This is stale:**");
    expect(records.attempts.find("tell", item)).toBeUndefined();
  });
});
