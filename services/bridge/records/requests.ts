import * as z from "zod";
import { runResultsSchema } from "../../lib/run.ts";
import type { Database } from "./database.ts";

/** How far a test has come. */
type Phase =
  /** It shall have a build. */
  | "accepted"
  /** Drone was asked for one, and what came of it is not known. */
  | "asking"
  /** There is a build. */
  | "building"
  /** There is nothing more to do but to tell of it. */
  | "ended";

/** How a test came out, for people. */
export type RequestOutcome =
  | "passed"
  | "failed"
  /** Somebody ended it. */
  | "cancelled"
  /** A newer commit took its place. */
  | "superseded"
  | "timed-out"
  /** It never began, for want of a place. */
  | "not-reached"
  /** Something moved before it began: it never did. */
  | "refused"
  /** Ours, or the operator's trouble; says nothing about the recipe. */
  | "broken";

/** Why a build is to be ended by us. */
const endings = ["cancelled", "superseded", "timed-out", "not-reached"] as const;
export type Ending = (typeof endings)[number];

const stages = runResultsSchema.shape.stages;

export interface Request {
  readonly id: string;
  readonly comment: number;
  readonly repository: string;
  readonly pull: number;
  readonly author: number;
  readonly recipe: string;
  /** The commit that is tested. */
  readonly head: string;
  readonly quick: boolean;
  /** Whether whoever asked named the commit. */
  readonly isNamed: boolean;
  /** When it was asked for. */
  readonly writtenAt: number;
  readonly phase: Phase;
  readonly acceptedAt: number;
  /** When Drone was asked for the build. */
  readonly askedAt: number | null;
  /** Of the CI repository: what Drone was asked to build. */
  readonly ciCommit: string | null;
  readonly build: number | null;
  /** When a runner took it. */
  readonly begunAt: number | null;
  /** Its place among the builds that wait, from 1 on, and how many do. */
  readonly place: number | null;
  readonly queue: number | null;
  readonly ending: Ending | null;
  readonly outcome: RequestOutcome | null;
  /** A sentence. */
  readonly reason: string | null;
  readonly stages: z.infer<typeof stages>;
  readonly endedAt: number | null;
}

const nullable = z.int().nullable();

const row = z
  .object({
    ...{ id: z.string(), comment: z.int(), repository: z.string(), pull: z.int() },
    ...{ author: z.int(), recipe: z.string(), head: z.string(), quick: z.int() },
    ...{ named: z.int(), written_at: z.int() },
    phase: z.enum(["accepted", "asking", "building", "ended"]),
    ...{ accepted_at: z.int(), asked_at: nullable, build: nullable, begun_at: nullable },
    ci_commit: z.string().nullable(),
    ...{ place: nullable, queue: nullable, ending: z.enum(endings).nullable() },
    outcome: z
      .enum([
        ...["passed", "failed", "cancelled", "superseded", "timed-out"],
        ...["not-reached", "refused", "broken"],
      ] as const)
      .nullable(),
    ...{ reason: z.string().nullable(), stages: z.string().nullable(), ended_at: nullable },
  })
  .transform(({ stages: text, ...found }): Request => {
    const { accepted_at, asked_at, begun_at, ended_at, written_at, ...others } = found;
    const { quick, named, ci_commit, ...rest } = others;
    return {
      ...rest,
      ...{ acceptedAt: accepted_at, askedAt: asked_at, begunAt: begun_at, endedAt: ended_at },
      ...{ writtenAt: written_at, ciCommit: ci_commit },
      quick: quick === 1,
      isNamed: named === 1,
      stages: text === null ? [] : stages.parse(JSON.parse(text)),
    };
  });

export type NewRequest = Pick<
  Request,
  | ("id" | "comment" | "repository" | "pull" | "author" | "recipe" | "head")
  | ("quick" | "isNamed" | "writtenAt")
>;

/** What a test came to. */
export interface End {
  readonly outcome: RequestOutcome;
  readonly reason: string | null;
  readonly stages: Request["stages"];
}

/** Tests that were accepted. */
export class Requests {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  accept({ quick, isNamed, ...request }: NewRequest, now: number): void {
    this.#database.run(
      `INSERT INTO requests (id, comment, repository, pull, author, recipe, head, quick, named,
         written_at, phase, accepted_at)
       VALUES (:id, :comment, :repository, :pull, :author, :recipe, :head, :quick, :named,
         :writtenAt, 'accepted', :now)`,
      { ...request, quick: quick ? 1 : 0, named: isNamed ? 1 : 0, now },
    );
  }

  /** The oldest first. */
  goingOn(): readonly Request[] {
    return this.#all("phase <> 'ended' ORDER BY accepted_at, comment");
  }

  /** On a pull request, the newest first. */
  ofPull(repository: string, pull: number, limit: number): readonly Request[] {
    return this.#all(
      "repository = :repository AND pull = :pull ORDER BY accepted_at DESC, comment DESC LIMIT :limit",
      { repository, pull, limit },
    );
  }

  find(id: string): Request | undefined {
    return this.#all("id = :id", { id })[0];
  }

  countOfAuthor(author: number, since: number): number {
    return this.#count("author = :author AND accepted_at >= :since", { author, since });
  }

  countOfPull(repository: string, pull: number, since: number): number {
    const where = "repository = :repository AND pull = :pull AND accepted_at >= :since";
    return this.#count(where, { repository, pull, since });
  }

  countGoingOn(): number {
    return this.#count("phase <> 'ended'", {});
  }

  /** Notes that Drone is about to be asked for a build, of that commit of the CI repository. */
  ask(id: string, ciCommit: string, now: number): void {
    this.#database.run(
      "UPDATE requests SET phase = 'asking', ci_commit = :ciCommit, asked_at = :now WHERE id = :id",
      { id, ciCommit, now },
    );
  }

  /** Notes that Drone made no build. */
  askAgain(id: string): void {
    const sql = "UPDATE requests SET phase = 'accepted' WHERE id = :id AND phase = 'asking'";
    this.#database.run(sql, { id });
  }

  /** Notes that there may be a build of it, now or later, that is not the one that it has. */
  doubt(id: string): void {
    this.#database.run("UPDATE requests SET in_doubt = 1 WHERE id = :id", { id });
  }

  /** Notes that there is none. */
  settle(id: string): void {
    this.#database.run("UPDATE requests SET in_doubt = 0 WHERE id = :id", { id });
  }

  /** Those that may have such a build, ended ones too. */
  inDoubt(): readonly Request[] {
    return this.#all("in_doubt = 1 ORDER BY accepted_at, comment");
  }

  /** Notes the build of it. */
  found(id: string, build: number): void {
    const sql = "UPDATE requests SET phase = 'building', build = :build WHERE id = :id";
    this.#database.run(sql, { id, build });
  }

  waits(id: string, place: number, queue: number): void {
    const sql = "UPDATE requests SET place = :place, queue = :queue WHERE id = :id";
    this.#database.run(sql, { id, place, queue });
  }

  begins(id: string, now: number): void {
    const sql = "UPDATE requests SET begun_at = :now, place = NULL, queue = NULL WHERE id = :id";
    this.#database.run(sql, { id, now });
  }

  /** Notes that it is to be ended; what was noted first stays. */
  endBy(id: string, ending: Ending): void {
    const sql = "UPDATE requests SET ending = coalesce(ending, :ending) WHERE id = :id";
    this.#database.run(sql, { id, ending });
  }

  /** @returns false when it had ended before */
  end(id: string, { outcome, reason, stages: all }: End, now: number): boolean {
    const changed = this.#database.run(
      `UPDATE requests SET phase = 'ended', outcome = :outcome, reason = :reason, stages = :stages,
       ended_at = :now, place = NULL, queue = NULL WHERE id = :id AND phase <> 'ended'`,
      { id, outcome, reason, stages: JSON.stringify(all), now },
    );
    return changed > 0;
  }

  /** Forgets what ended before then. */
  forget(before: number): void {
    this.#database.run("DELETE FROM requests WHERE ended_at < :before", { before });
  }

  #all(where: string, values: Readonly<Record<string, string | number>> = {}): readonly Request[] {
    return this.#database.all(row, `SELECT * FROM requests WHERE ${where}`, values);
  }

  #count(where: string, values: Readonly<Record<string, string | number>>): number {
    const sql = `SELECT count(*) AS count FROM requests WHERE ${where}`;
    return this.#database.first(z.object({ count: z.int() }), sql, values)?.count ?? 0;
  }
}
