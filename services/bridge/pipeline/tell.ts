import { createHash } from "node:crypto";
import type { ForgeComment } from "../../lib/forge/schemas.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import type { OwedReaction, OwedReply, ToldPull } from "../records/answers.ts";
import type { Duty } from "../records/attempts.ts";
import type { Request } from "../records/requests.ts";
import { statusComment, statusMarker } from "../words/status-comment.ts";
import type { Bridge } from "./bridge.ts";
import { pageOf } from "./build-page.ts";
import { overAll } from "./paging.ts";

/** How many lines of what a failed test printed are shown. */
const lastLines = 15;

/** How many tests of a pull request are told of. */
const mostRequests = 6;

/** Puts the reaction on a comment that it is to have, and then takes back the eyes that it had. */
export async function react(bridge: Bridge, owed: OwedReaction): Promise<void> {
  const { forge, gate, records } = bridge;
  const { comment, repository, wanted } = owed;
  const give = `${wanted} ${repository} ${comment}`;
  const take = `eyes ${repository} ${comment}`;
  const isGiven = await delivered(bridge, owed, () =>
    gate.pass("reaction give", give, () => forge.react(repository, comment, wanted)),
  );
  // Also where none is noted: we may have been ended before that.
  const isTaken =
    wanted === "eyes" ||
    (await delivered(bridge, owed, () =>
      gate.pass("reaction take", take, () => forge.unreact(repository, comment, "eyes")),
    ));
  if (isGiven && isTaken) records.answers.reacted(comment, wanted);
  else records.answers.forgetReaction(comment);
}

/** @returns false when it can be given to nobody */
async function delivered(
  { log }: Bridge,
  { comment, repository }: OwedReaction,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isUndeliverable(error)) throw error;
    log.warn({ comment, repository, reason: error.message }, "cannot react");
    return false;
  }
}

/** Answers a comment, once. */
export async function reply(bridge: Bridge, owed: OwedReply): Promise<void> {
  const { records, log, now } = bridge;
  const { comment, repository, pull, writtenAt, triedAt, body } = owed;
  const marker = `<!-- cc-ci: answer to ${comment} -->`;
  try {
    const place = { repository, pull };
    const before =
      triedAt === null ? undefined : await postedBefore(bridge, place, marker, writtenAt);
    records.answers.tries(comment, now());
    const posted = before ?? (await post(bridge, place, `${marker}\n${body}`));
    records.answers.posted(comment, posted);
  } catch (error) {
    if (!isUndeliverable(error)) throw error;
    log.warn({ comment, repository, pull, reason: error.message }, "cannot answer");
    records.answers.posted(comment, 0);
  }
}

/** Writes the one comment that tells of a pull request's tests, where it does not say what it should. */
export async function tellOf(bridge: Bridge, told: ToldPull): Promise<void> {
  const { records, log } = bridge;
  const { repository, pull } = told;
  const [newest, ...earlier] = records.requests.ofPull(repository, pull, mostRequests);
  if (newest === undefined) {
    // Of what is forgotten nothing is told.
    if (isOwed(told)) records.answers.said(told, told.comment, told.said);
    return;
  }
  const text = await textOf(bridge, told, [newest, ...earlier]);
  const said = createHash("sha256").update(text).digest("hex");
  if (told.said === said) {
    if (isOwed(told)) records.answers.said(told, told.comment, said);
    return;
  }
  const since = Math.min(newest.writtenAt, ...earlier.map(({ writtenAt }) => writtenAt));
  try {
    const isThere = told.comment !== null && (await edit(bridge, told, told.comment, text));
    const comment = isThere ? told.comment : await writeAnew(bridge, told, text, since);
    records.answers.said(told, comment, said);
  } catch (error) {
    if (!isUndeliverable(error)) throw error;
    // What a test came to stands, whether or not anybody may be told.
    log.warn({ repository, pull, reason: error.message }, "cannot tell");
    records.answers.said(told, null, said);
  }
}

/** Where none is known of, or somebody took it away. @returns its number */
async function writeAnew(
  bridge: Bridge,
  place: Place,
  text: string,
  since: number,
): Promise<number> {
  const before = await postedBefore(bridge, place, statusMarker, since);
  const isThere = before !== undefined && (await edit(bridge, place, before, text));
  return isThere ? before : await post(bridge, place, text);
}

function isOwed({ changedAt, toldAt }: ToldPull): boolean {
  return changedAt !== toldAt;
}

async function textOf(
  { records, runs, settings }: Bridge,
  { head }: ToldPull,
  requests: readonly [Request, ...Request[]],
): Promise<string> {
  const [newest] = requests;
  const { dashboard, isLogPublic } = settings;
  const isShown = isLogPublic && newest.outcome === "failed";
  const duties: readonly Duty[] = newest.phase === "building" ? ["follow"] : ["find", "begin"];
  const inTheWay = [
    ...duties.map((duty) => records.attempts.find(duty, newest.id)),
    records.attempts.find("look", "drone"),
  ].find((attempt) => attempt !== undefined);
  return statusComment({
    ...{ requests, head },
    lastLines: isShown ? await runs.lastLines(newest.id, lastLines) : [],
    linkOf: (build) => pageOf(settings, build),
    dashboard: dashboard === null ? undefined : `${dashboard}/${encodeURIComponent(newest.recipe)}`,
    trouble: inTheWay?.trouble,
  });
}

type Place = Pick<ToldPull, "repository" | "pull">;

/** A comment of ours that was posted, and not noted: we were ended in between, or had no answer. */
async function postedBefore(
  { forge, self }: Bridge,
  { repository, pull }: Place,
  marker: string,
  since: number,
): Promise<number | undefined> {
  let last: number | undefined;
  // The list of one pull request comes in one piece, however long it is.
  await overAll({
    read: async (page) => await forge.comments(repository, new Date(since), page),
    limit: await forge.largestPage(),
    take: (comments) => {
      const isOurs = (each: ForgeComment) =>
        each.pull === pull && each.user?.id === self.id && each.body.startsWith(marker);
      last = comments.findLast(isOurs)?.id ?? last;
    },
  });
  return last;
}

async function post(
  { forge, gate }: Bridge,
  { repository, pull }: Place,
  text: string,
): Promise<number> {
  return await gate.pass("comment post", `${repository}#${pull}`, () =>
    forge.postComment(repository, pull, text),
  );
}

/** @returns false when the comment is gone */
async function edit(
  { forge, gate }: Bridge,
  { repository, pull }: Place,
  comment: number,
  text: string,
): Promise<boolean> {
  try {
    await gate.pass("comment edit", `${repository}#${pull}`, () =>
      forge.editComment(repository, comment, text),
    );
    return true;
  } catch (error) {
    if (error instanceof ForgeRefusal && error.trouble === "not-found") return false;
    throw error;
  }
}

/** Nobody can be told there: the place is gone, locked or archived, or its author blocked us. */
function isUndeliverable(error: unknown): error is ForgeRefusal {
  if (!(error instanceof ForgeRefusal)) return false;
  return error.trouble === "not-found" || error.trouble === "not-allowed" || error.status === 423;
}
