import { createHash } from "node:crypto";
import type { ForgeComment, Pull } from "../../lib/forge/schemas.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import type { Reaction } from "../records/answers.ts";
import type { AskedFor, Verdict } from "../records/commands.ts";
import type { Request } from "../records/requests.ts";
import { type Command, readComment } from "../words/command.ts";
import { help, nearMiss, nothingToCancel, type Refusal, refusal } from "../words/replies.ts";
import { statusReply } from "../words/status-reply.ts";
import type { Bridge } from "./bridge.ts";
import { pageOf } from "./build-page.ts";
import { newestAt } from "./pushes.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A command that is read later than that is not acted on: who wrote it does not wait for it any more. */
const latest = 15 * minute;

/** How long somebody who was turned away or helped on a pull request is not told the same again there. */
const silence = 24 * hour;

interface Decision {
  readonly verdict: Verdict;
  /** Markdown. */
  readonly reply?: string;
  readonly reaction?: Reaction;
  /** Why, for the log. */
  readonly why?: string;
}

/**
 * Decides about a comment that is for us. Only reads until it is decided; then all that follows from it is noted
 * at once.
 *
 * @throws {ForgeRefusal} when it cannot be decided now
 */
export async function judge(bridge: Bridge, asked: AskedFor): Promise<void> {
  const again = await bridge.forge.comment(asked.repository, asked.comment);
  if (again === undefined || isAnother(again, asked)) {
    decide(bridge, asked, { verdict: "withdrawn" });
    return;
  }
  const reading = readComment(asked.text);
  const whyNot = await turnedAway(bridge, asked.login);
  if (whyNot !== undefined) {
    // The near miss of a stranger is none.
    const isSilent = reading.as !== "command" || wasTold(bridge, asked, "refused");
    if (isSilent) decide(bridge, asked, { verdict: "ignored", why: whyNot.why });
    else refuse(bridge, asked, whyNot);
    return;
  }
  const age = bridge.now() - asked.writtenAt;
  const isLate = age > latest;
  if (reading.as === "command") {
    if (isLate) refuse(bridge, asked, { why: "late", minutes: Math.floor(age / minute) });
    else await obey(bridge, asked, reading.command);
  } else if (reading.as === "near-miss" && !isLate && !wasTold(bridge, asked, "helped")) {
    decide(bridge, asked, { verdict: "helped", reply: nearMiss(reading.miss) });
  } else {
    decide(bridge, asked, { verdict: "ignored" });
  }
}

/** An edit within the second in which it was written leaves its times as they were. */
function isAnother(again: ForgeComment, { text, author, pull }: AskedFor): boolean {
  const isEdited = again.updatedAt.getTime() !== again.createdAt.getTime();
  return isEdited || again.body !== text || again.user?.id !== author || again.pull !== pull;
}

/** Why somebody may not ask for anything; undefined for who may. */
async function turnedAway(
  { forge, settings }: Bridge,
  login: string,
): Promise<Refusal | undefined> {
  const { organisation, team, only } = settings.forge;
  const membership = await forge.membership(organisation, login);
  if (membership === "not-told") {
    const what = `our own account is no member of ${organisation}`;
    throw new ForgeRefusal("not-allowed", what, { status: 303 });
  }
  if (membership !== "member") return { why: "not-a-member", organisation };
  const isListed = only.length === 0 || only.some((each) => isSameName(each, login));
  const isInTeam = team === null || (await forge.isInTeam(team, login));
  return isListed && isInTeam ? undefined : { why: "not-in-team" };
}

async function obey(bridge: Bridge, asked: AskedFor, command: Command): Promise<void> {
  switch (command.name) {
    case "help":
      decide(bridge, asked, { verdict: "answered", reply: help });
      return;
    case "status":
      decide(bridge, asked, { verdict: "answered", reply: await status(bridge, asked) });
      return;
    case "cancel":
      cancel(bridge, asked);
      return;
    case "test":
      await test(bridge, asked, command);
  }
}

async function status(bridge: Bridge, { repository, pull }: AskedFor): Promise<string> {
  const { records, settings, stopped } = bridge;
  return statusReply({
    newest: records.requests.ofPull(repository, pull, 1)[0],
    goingOn: records.requests.countGoingOn(),
    stopped: await stopped(),
    linkOf: (build) => pageOf(settings, build),
  });
}

function cancel(bridge: Bridge, asked: AskedFor): void {
  const { records } = bridge;
  const { repository, pull } = asked;
  records.together(() => {
    // Not what was asked for after it, where that was read first.
    const all = records.requests
      .goingOn()
      .filter((each) => isOn(asked)(each) && each.comment < asked.comment);
    if (all.length === 0) {
      decide(bridge, asked, { verdict: "answered", reply: nothingToCancel });
      return;
    }
    for (const { id } of all) records.requests.endBy(id, "cancelled");
    records.answers.changed(repository, pull, bridge.now());
    decide(bridge, asked, { verdict: "answered", reaction: "+1" });
  });
}

async function test(
  bridge: Bridge,
  asked: AskedFor,
  command: Extract<Command, { name: "test" }>,
): Promise<void> {
  const { forge, records, settings, now } = bridge;
  const { repository } = asked;
  const recipe = settings.recipes.find((each) => isSameName(each.repository, repository))?.recipe;
  if (recipe === undefined) {
    // It was taken out of the configuration since.
    decide(bridge, asked, { verdict: "ignored", why: "not-enrolled" });
    return;
  }
  const pull = await forge.pull(repository, asked.pull);
  const { head } = pull;
  const { quick } = command;
  const whyNot = await whyNotThis(bridge, asked, command, pull);
  const others = () => records.requests.goingOn().filter(isOn(asked));
  // A whole test does for who asks for a quick one.
  const isSame = (each: Request) =>
    each.head === head && each.ending === null && (quick || !each.quick);
  const refused = whyNot ?? (others().some(isSame) ? undefined : await whyNotNow(bridge, asked));
  if (refused !== undefined) {
    refuse(bridge, asked, refused);
    return;
  }
  records.together(() => {
    const same = others().find(isSame);
    if (same !== undefined) {
      const link = same.build === null ? undefined : pageOf(settings, same.build);
      const reply = refusal({ why: "goes-on", head, link });
      decide(bridge, asked, { verdict: "answered", reply, why: "goes-on" });
      return;
    }
    for (const { id } of others()) records.requests.endBy(id, "superseded");
    const { comment, pull: number, author, writtenAt } = asked;
    const id = requestId(settings.forge.server, repository, comment);
    const isNamed = command.commit !== null;
    const what = { id, comment, repository, pull: number, author, recipe, head, quick };
    records.requests.accept({ ...what, isNamed, writtenAt }, now());
    records.answers.noteHead(repository, number, head, now());
    decide(bridge, asked, { verdict: "accepted", reaction: "eyes", why: `${id} ${head}` });
  });
}

/** Why this commit is not tested. */
async function whyNotThis(
  bridge: Bridge,
  asked: AskedFor,
  { commit }: Extract<Command, { name: "test" }>,
  pull: Pull,
): Promise<Refusal | undefined> {
  const { head, into, isForeign, mainBranch } = pull;
  const { forks } = bridge.settings;
  if (!pull.isOpen) return { why: "closed" };
  // A test says whether what people are given can be replaced by this.
  if (into !== mainBranch) return { why: "other-branch", into, mainBranch };
  if (commit !== null && commit !== head) return { why: "other-head", head };
  if (isForeign && forks === "refused") return { why: "fork" };
  if (isForeign && forks === "with-commit" && commit === null) {
    return { why: "fork-without-commit", head };
  }
  // Who names the commit says what was looked at. What is not told yet is seen to before the test begins.
  const isUnsure = commit === null && (await newestAt(bridge, pull, asked)) === "since";
  return isUnsure ? { why: "pushed", head } : undefined;
}

/** Why none is taken at the moment. */
async function whyNotNow(bridge: Bridge, asked: AskedFor): Promise<Refusal | undefined> {
  const { records, settings, stopped, now } = bridge;
  const { perPersonAndHour, perPullAndHour, waiting } = settings.limits;
  const { author, repository, pull } = asked;
  const reason = await stopped();
  if (reason !== undefined) return { why: "stopped", reason };
  const since = now() - hour;
  if (records.requests.countOfAuthor(author, since) >= perPersonAndHour) {
    return { why: "too-many-of-person", most: perPersonAndHour };
  }
  if (records.requests.countOfPull(repository, pull, since) >= perPullAndHour) {
    return { why: "too-many-of-pull", most: perPullAndHour };
  }
  // Of those on the same pull request this one takes the place.
  const others = records.requests.goingOn().filter((each) => !isOn(asked)(each));
  if (others.length >= waiting) return { why: "too-many-waiting", most: waiting };
  return undefined;
}

function refuse(bridge: Bridge, asked: AskedFor, refused: Refusal): void {
  const { why } = refused;
  decide(bridge, asked, { verdict: "refused", reply: refusal(refused), reaction: "-1", why });
}

/** Whether the same person had such an answer here not long ago. */
function wasTold({ records, now }: Bridge, asked: AskedFor, verdict: Verdict): boolean {
  return records.commands.countAnswers(asked, verdict, now() - silence) > 0;
}

function decide(bridge: Bridge, asked: AskedFor, decision: Decision): void {
  const { records, log, metrics, now } = bridge;
  const { comment, repository, pull, author, login, writtenAt } = asked;
  const { verdict, reply, reaction, why } = decision;
  records.together(() => {
    records.commands.judge(comment, verdict, now());
    if (reply !== undefined) {
      records.answers.reply({ comment, repository, pull, writtenAt, body: reply });
    }
    if (reaction !== undefined) records.answers.react(comment, repository, reaction);
  });
  metrics.judged(verdict);
  log.info({ comment, repository, pull, author, login, verdict, why }, "judged");
}

function isOn({ repository, pull }: AskedFor) {
  return (other: { readonly repository: string; readonly pull: number }): boolean =>
    other.repository === repository && other.pull === pull;
}

/**
 * The id of the test that a comment asks for. Made of what it is, so that whoever has lost all records finds the
 * build of it instead of beginning another.
 */
function requestId(server: string, repository: string, comment: number): string {
  const text = JSON.stringify(["cc-ci test", server, repository, comment]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** As the forge compares names. */
function isSameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
