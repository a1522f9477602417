import fc from "fast-check";
import { expect } from "vitest";
import type { Nudge } from "../../../../services/bridge/records/cursors.ts";
import { isOver, type Result, type StartMood } from "./fake-drone.ts";
import { bot, type FakeComment, wordsFor } from "./fake-forge.ts";
import { enrolled, type Pipeline, stranger } from "./pipeline.ts";
import type { Mood } from "./trouble.ts";
import { kinds } from "./words.ts";

/** People who write comments: two members, somebody else, and a program that is a member. */
const people = [
  { id: 10, login: "ann" },
  { id: 11, login: "bob" },
  { id: 20, login: "eve" },
  { id: 30, login: "robot" },
] as const;

type Step = fc.AsyncCommand<Pipeline, Pipeline>;

/** Something that happens to the bridge, or that it does; nothing wrong may come of it. */
function step<Value>(
  name: string,
  values: fc.Arbitrary<Value>,
  act: (pipeline: Pipeline, value: Value) => Promise<void> | void,
  isPossible: (pipeline: Pipeline) => boolean = () => true,
): fc.Arbitrary<Step> {
  return values.map((value) => ({
    check: isPossible,
    run: async (_, pipeline) => {
      await act(pipeline, value);
      expect(pipeline.witness.wrong()).toEqual([]);
    },
    toString: () => `${name}(${value === undefined ? "" : JSON.stringify(value)})`,
  }));
}

/** What a bridge begins with: a few pull requests, and people. */
export async function begun(pipeline: Pipeline): Promise<void> {
  const { forge, clock } = pipeline;
  for (const { login } of people) if (login !== "eve") forge.members.add(login);
  for (const repository of enrolled) forge.open(repository, false);
  forge.open(enrolled[0], true);
  forge.open(stranger, false);
  clock.pass(3_600_000);
  await pipeline.forgeTurn();
  clock.pass(15_000);
}

const nothing = fc.constant(undefined);
const index = fc.nat({ max: 1000 });
const person = fc.constantFrom(...people, people[0], people[0], people[1]);
const kind = fc.constantFrom(...kinds);
const mood = fc.constantFrom<Mood[]>("silent", "silent", "strange", "failing", "busy");
const side = fc.constantFrom("forge" as const, "drone" as const);

function pick<Item>(items: readonly Item[], at: number): Item {
  const found = items[at % items.length];
  if (found === undefined) throw new Error("there is none");
  return found;
}

/** Pull requests where people write: mostly the one. */
const pullIndex = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: index },
);

function ofPeople({ forge }: Pipeline): readonly FakeComment[] {
  return [...forge.comments.values()].filter(({ user }) => user.id !== bot.id);
}

const hasComments = (pipeline: Pipeline): boolean => ofPeople(pipeline).length > 0;

const writes = step(
  "writes",
  fc.record({ who: person, pull: pullIndex, kind, isTold: fc.boolean() }),
  async (pipeline, { who, pull: at, kind, isTold }) => {
    const pull = pick(pipeline.forge.pulls, at);
    const { id, repository } = pipeline.forge.write(pull, who, wordsFor(pull, kind));
    if (isTold && repository !== stranger)
      await pipeline.nudge({ repository, kind: "comment", number: id });
  },
);

/** What the bridge is mostly there for. */
const asksForTest = step(
  "asks for a test",
  fc.record({ pull: pullIndex, seconds: fc.nat({ max: 20 }) }),
  async (pipeline, { pull: at, seconds }) => {
    const pull = pick(pipeline.forge.pulls, at);
    const { id, repository } = pipeline.forge.write(pull, people[0], wordsFor(pull, "test"));
    if (repository !== stranger) await pipeline.nudge({ repository, kind: "comment", number: id });
    await pipeline.goOn(seconds * 1000);
  },
);

const edits = step(
  "edits",
  fc.record({ at: index, kind }),
  (pipeline, { at, kind }) => {
    const comment = pick(ofPeople(pipeline), at);
    const pull = pipeline.forge.pullOf(comment.repository, comment.pull ?? 0);
    if (pull !== undefined) pipeline.forge.edit(comment, wordsFor(pull, kind));
  },
  hasComments,
);

const removes = step(
  "removes",
  index,
  (pipeline, at) => pipeline.forge.remove(pick(ofPeople(pipeline), at)),
  hasComments,
);

const removesOfBot = step(
  "removes a comment of the bot",
  index,
  ({ forge }, at) => {
    const own = [...forge.comments.values()].filter(({ user }) => user.id === bot.id);
    forge.remove(pick(own, at));
  },
  ({ forge }) => [...forge.comments.values()].some(({ user }) => user.id === bot.id),
);

const pushes = step(
  "pushes",
  fc.record({
    ...{ pull: pullIndex, delay: fc.nat({ max: 1500 }), asOfThen: fc.boolean() },
    isTold: fc.boolean(),
  }),
  async (pipeline, { pull: at, delay, asOfThen, isTold }) => {
    const pull = pick(pipeline.forge.pulls, at);
    if (pull.isOpen) pipeline.forge.push(pull, delay, asOfThen);
    const { repository, number } = pull;
    if (isTold && repository !== stranger) {
      await pipeline.nudge({ repository, kind: "push", number });
    }
  },
);

/** For how long something is as it should not be, in milliseconds. */
const spell = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 90_000, max: 3 * 3_600_000 }) },
);

const closes = step(
  "closes",
  fc.record({ pull: pullIndex, milliseconds: spell }),
  ({ forge, clock }, { pull: at, milliseconds }) => {
    const pull = pick(forge.pulls, at);
    forge.setOpen(pull, false);
    clock.plan(milliseconds, () => forge.setOpen(pull, true));
  },
);

const opens = step(
  "opens",
  fc.record({ repository: fc.constantFrom(...enrolled), isForeign: fc.boolean() }),
  ({ forge }, { repository, isForeign }) => {
    forge.open(repository, isForeign);
  },
  ({ forge }) => forge.pulls.length < 8,
);

const blocks = step("blocks the bot", index, (pipeline, at) => {
  // Not where most happens.
  const pull = pick(pipeline.forge.pulls.slice(1), at);
  pull.isBlocked = true;
});

const joins = step(
  "joins or leaves",
  fc.constantFrom(people[1], people[2]),
  ({ forge }, { login }) => {
    if (!forge.members.delete(login)) forge.members.add(login);
  },
);

const nudges = step(
  "is told of",
  fc.record({ at: index, isOfAnother: fc.boolean() }),
  async (pipeline, { at, isOfAnother }) => {
    const { forge } = pipeline;
    const known = [...forge.comments.values(), ...forge.gone.values()];
    const all: readonly Nudge[] = [
      { repository: enrolled[0], kind: "comment", number: 999_999 },
      { repository: enrolled[0], kind: "push", number: 999 },
      ...known.map(({ repository, id }) => ({ repository, kind: "comment" as const, number: id })),
    ];
    const { repository, ...rest } = pick(all, at);
    const other = repository === enrolled[0] ? enrolled[1] : enrolled[0];
    // Of a repository that is not enrolled it takes nothing.
    const isWrong = isOfAnother || repository === stranger;
    await pipeline.nudge({ repository: isWrong ? other : repository, ...rest });
  },
);

const waits = step(
  "waits",
  fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 1500 }) },
    { weight: 8, arbitrary: fc.integer({ min: 1500, max: 40_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 40_000, max: 15 * 60_000 }) },
  ),
  ({ clock }, milliseconds) => clock.pass(milliseconds),
);

const changesMood = step(
  "changes",
  fc.record({ side, mood, milliseconds: spell }),
  (pipeline, { side, mood, milliseconds }) => {
    const { trouble } = pipeline[side];
    trouble.mood = mood;
    // What it does not understand for two hours the bridge gives up.
    const most = mood === "strange" ? 20_000 : milliseconds;
    pipeline.clock.plan(Math.min(milliseconds, most), () => trouble.heal());
  },
);

const losesAnswer = step(
  "loses an answer",
  fc.record({ side, nth: fc.integer({ min: 1, max: 8 }) }),
  (pipeline, { side, nth }) => pipeline[side].trouble.loseAnswer(nth),
);

const starts = step(
  "has the next start go",
  fc.constantFrom<StartMood[]>(
    ...(["late", "late", "failing-after", "failing-after", "failing-before", "unsent"] as const),
    ...(["forge-silent", "login-dead", "not-triggered", "config-wrong"] as const),
    ...(["config-missing", "other-commit"] as const),
  ),
  ({ drone }, mood) => {
    drone.start = mood;
  },
);

const beginsBuild = step(
  "begins a build",
  nothing,
  ({ drone }) => {
    drone.begin();
  },
  ({ drone }) => drone.builds.some(({ status }) => status === "pending"),
);

const hasRunning = ({ drone }: Pipeline): boolean =>
  drone.builds.some(({ status }) => status === "running");

const finishes = step(
  "finishes a build",
  fc.constantFrom<Result[]>(
    ...(["passed", "failed", "passed-late", "passed-silent"] as const),
    ...(["timed-out", "killed", "aborted", "error"] as const),
  ),
  ({ drone }, how) => drone.finish(how),
  hasRunning,
);

const losesRunner = step(
  "loses its runner",
  nothing,
  ({ drone }) => {
    for (const build of drone.builds) if (!isOver(build)) build.isLost = build.status === "running";
  },
  hasRunning,
);

const losesBuilds = step("loses its database", nothing, ({ drone }) => drone.forget());

const endsSlowly = step("ends builds slowly or not", fc.boolean(), ({ drone }, isSlow) => {
  drone.isSlowToEnd = isSlow;
});

const stops = step("stops", spell, (pipeline, milliseconds) => {
  pipeline.stopped = "The disk is changed.";
  pipeline.clock.plan(milliseconds, () => {
    pipeline.stopped = undefined;
  });
});

const crashes = step(
  "will crash",
  fc.record({
    of: fc.constantFrom("act" as const, "call" as const),
    nth: fc.integer({ min: 1, max: 9 }),
    when: fc.constantFrom("before" as const, "after" as const),
  }),
  (pipeline, death) => pipeline.end(death),
);

const restarts = step("restarts", nothing, (pipeline) => pipeline.restart());

const isAway = step(
  "is away",
  fc.constantFrom(20, 2 * 60, 40 * 60, 40 * 60),
  (pipeline, minutes) => {
    pipeline.clock.pass(minutes * 60_000);
    pipeline.restart();
  },
);

const forgeTurn = step("forge turn", nothing, async (pipeline) => {
  await pipeline.forgeTurn();
});

const droneTurn = step("drone turn", nothing, async (pipeline) => {
  await pipeline.droneTurn();
});

const bothTurns = step(
  "both turns",
  fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }),
  async (pipeline, pauses) => {
    await pipeline.bothTurns(pauses);
  },
);

const goesOn = step(
  "goes on",
  fc.record({ seconds: fc.integer({ min: 1, max: 60 }), isBuilt: fc.boolean() }),
  (pipeline, { seconds, isBuilt }) => pipeline.goOn(seconds * 1000, { isBuilt }),
);

/** Each is as likely as the others; some are there more than once. */
export const steps: fc.Arbitrary<Step>[] = [
  ...[writes, writes, writes, asksForTest, asksForTest, asksForTest],
  ...[edits, removes, removesOfBot, pushes, pushes, closes, opens, blocks, joins],
  ...[nudges, waits, waits, changesMood, losesAnswer, losesAnswer, starts],
  ...[beginsBuild, beginsBuild, finishes, finishes, losesRunner, losesBuilds, endsSlowly, stops],
  ...[crashes, crashes, crashes, restarts, isAway],
  ...[forgeTurn, forgeTurn, droneTurn, droneTurn, bothTurns, bothTurns, goesOn, goesOn, goesOn],
];
