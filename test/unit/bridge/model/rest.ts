import { DatabaseSync } from "node:sqlite";
import { pageOf } from "../../../../services/bridge/pipeline/build-page.ts";
import type { Request, RequestOutcome } from "../../../../services/bridge/records/requests.ts";
import { statusComment } from "../../../../services/bridge/words/status-comment.ts";
import { isOver } from "./fake-drone.ts";
import { bot, type FakeComment, type FakePull, headOf } from "./fake-forge.ts";
import { enrolled, type Pipeline } from "./pipeline.ts";

/** How long a bridge may take to be done with everything once nothing is in its way any more, in milliseconds. */
const restMilliseconds = 3 * 3_600_000;

/** Heals all, and lets the bridge go on until it is done with everything. */
export async function comeToRest(pipeline: Pipeline): Promise<void> {
  const { forge, drone, clock, settings } = pipeline;
  forge.trouble.heal();
  drone.trouble.heal();
  drone.start = "well";
  drone.usualStart = "well";
  pipeline.stopped = undefined;
  pipeline.restart();
  const begun = clock.now();
  // What a hook lost, only a sweep finds.
  const least = settings.mode === "poll" ? 2 * settings.pollSeconds : settings.sweepSeconds;
  const isEnough = () => clock.now() - begun > (least + 30) * 1000 && isAtRest(pipeline);
  await pipeline.goOn(restMilliseconds, { isBuilt: true, isEnough });
}

function isAtRest({ records, drone, path }: Pipeline): boolean {
  const { commands, requests, answers } = records;
  const goesOn = requests.countGoingOn() + requests.inDoubt().length;
  const owed = commands.countUnjudged() + goesOn + answers.countOwed();
  return owed === 0 && drone.builds.every(isOver) && rowsOf(path, "attempts").length === 0;
}

/** All of a table, by a connection of its own. */
function rowsOf(path: string, table: string): readonly Readonly<Record<string, unknown>>[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare(`SELECT * FROM ${table}`).all();
}

/** What is not as it should be once nothing more happens. */
export function unrest(pipeline: Pipeline): readonly string[] {
  const { forge, witness, path } = pipeline;
  const requests = rowsOf(path, "requests");
  return [
    ...witness.wrong(),
    ...rowsOf(path, "attempts").map((row) => `still tries ${show(row)}`),
    ...rowsOf(path, "nudges").map((row) => `has not followed ${show(row)}`),
    ...requests
      .filter(({ outcome }) => outcome === null)
      .map((row) => `has not ended ${show(row)}`),
    ...requests
      .filter(({ in_doubt: isInDoubt }) => isInDoubt !== 0)
      .map((row) => `does not know whether there is a build of ${show(row)}`),
    ...rowsOf(path, "commands")
      .filter(({ verdict }) => verdict === "accepted")
      .filter((row) => !requests.some(({ comment }) => comment === row.comment))
      .map((row) => `has forgotten ${show(row)}`),
    ...[...forge.comments.values()].flatMap((comment) => unheard(pipeline, comment)),
    ...forge.pulls.flatMap((pull) => unsaid(pipeline, pull)),
  ];
}

const verdicts = {
  test: ["accepted", "refused", "answered"],
  ...{ cancel: ["answered"], status: ["answered"], help: ["answered"] },
  "near-miss": ["helped", "ignored"],
  nothing: [],
} as const satisfies Record<FakeComment["asks"]["for"], readonly string[]>;

/** What is wrong with what became of a comment that still stands. */
function unheard({ witness, clock }: Pipeline, comment: FakeComment): readonly string[] {
  const { id, repository, pull, user, asks, createdAt, updatedAt } = comment;
  const judged = witness.judged.get(id);
  const isEnrolled = enrolled.some((each) => each === repository);
  const isForUs = pull !== undefined && isEnrolled && user.id !== bot.id && user.login !== "robot";
  if (!isForUs) return judged === undefined ? [] : [`${id} is not for us, and was judged`];
  // What was edited may have been judged before that, or never.
  if (createdAt.getTime() !== updatedAt.getTime()) return [];
  if (judged?.verdict === "withdrawn") return [];
  if (asks.for === "nothing") return [];
  if (judged === undefined) {
    const age = clock.now() - createdAt.getTime();
    return [`${id}, ${asks.for} of ${user.login}, was never judged within ${age} ms`];
  }
  const allowed: readonly string[] = judged.wasMember
    ? [...verdicts[judged.asks.for], "refused"]
    : ["refused", "ignored"];
  return allowed.includes(judged.verdict) ? [] : [`${id}: ${asks.for} was ${judged.verdict}`];
}

const reactions: Readonly<Record<RequestOutcome, string>> = {
  ...{ passed: "+1", failed: "-1", "timed-out": "-1", cancelled: "confused" },
  ...{ superseded: "confused", refused: "confused", "not-reached": "confused" },
  broken: "confused",
};

/** What is not as it should be on a pull request. */
function unsaid(pipeline: Pipeline, pull: FakePull): readonly string[] {
  const { records, forge, witness } = pipeline;
  const { repository, number, isBlocked } = pull;
  const requests = records.requests.ofPull(repository, number, 1000);
  const said = forge.saidBy(bot, pull);
  const wrong = requests.flatMap(({ id, outcome }) =>
    witness.outcomes.get(id) === outcome ? [] : [`${id} has another outcome by now`],
  );
  // Nobody can be told there.
  if (isBlocked) return wrong;
  for (const { comment, outcome } of requests) {
    const given = [...(forge.comments.get(comment)?.reactions.get(bot.login) ?? [])];
    const right = [reactions[outcome ?? "broken"]];
    const isGone = !forge.comments.has(comment);
    if (!isGone && given.join() !== right.join())
      wrong.push(`${comment} has ${given}, not ${right}`);
  }
  for (const [id, { verdict }] of witness.judged) {
    const comment = forge.comments.get(id);
    if (comment?.repository !== repository || comment.pull !== number) continue;
    const answers = said.filter(({ body }) => body.startsWith(`<!-- cc-ci: answer to ${id} -->`));
    const isSilent = verdict === "ignored" || verdict === "withdrawn" || verdict === "accepted";
    if (isSilent && answers.length > 0) wrong.push(`${id} was ${verdict}, and answered`);
    const mayBeGone = [...forge.gone.values()].some(({ user }) => user.id === bot.id);
    const isReacted = verdict === "answered" && comment.reactions.has(bot.login);
    if (!isSilent && !isReacted && answers.length === 0 && !mayBeGone)
      wrong.push(`${id} was ${verdict}, and has no answer`);
  }
  const [newest, ...earlier] = requests.slice(0, 6);
  if (newest === undefined) return wrong;
  const told = records.answers.told(repository, number);
  if (told?.head !== headOf(pull)) wrong.push(`takes ${told?.head} for the newest commit`);
  if (forge.gone.has(told?.comment ?? 0)) return wrong;
  const text = textOf(pipeline, pull, [newest, ...earlier]);
  const status = forge.comments.get(told?.comment ?? 0)?.body;
  if (status !== text) wrong.push(`the comment says\n${status}\nand not\n${text}`);
  return wrong;
}

function textOf(
  pipeline: Pipeline,
  pull: FakePull,
  requests: readonly [Request, ...Request[]],
): string {
  const { settings } = pipeline;
  const [{ id, outcome }] = requests;
  const isShown = settings.isLogPublic && outcome === "failed";
  return statusComment({
    ...{ requests, head: headOf(pull), dashboard: undefined, trouble: undefined },
    lastLines: isShown ? pipeline.lastLines(id) : [],
    linkOf: (build) => pageOf(settings, build),
  });
}

function show(row: unknown): string {
  return JSON.stringify(row);
}
