import * as z from "zod";

/** What is read from the API of a Gitea (1.26): its answers have many more members. */

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** All 40 digits: nothing here takes a repository of SHA-256. */
const commit = z.string().regex(/^[0-9a-f]{40}$/);

export const userSchema = z.object({ id: z.int(), login: z.string() });

export type ForgeUser = Readonly<z.infer<typeof userSchema>>;

export const hookSchema = z.object({ id: z.int(), config: z.object({ url: z.string() }) });

export type Hook = z.infer<typeof hookSchema>;

/** A pull request as the search over an organisation tells of it. */
export const foundPullSchema = z
  .object({
    number: z.int().min(1),
    updated_at: time,
    repository: z.object({ full_name: z.string() }),
  })
  .transform(({ number, updated_at, repository }) => ({
    ...{ number, repository: repository.full_name, updatedAt: updated_at },
  }));

export type FoundPull = Readonly<z.infer<typeof foundPullSchema>>;

/** A comment on an issue or on a pull request. All times have whole seconds. */
export const commentSchema = z
  .object({
    id: z.int().min(1),
    body: z.string(),
    /** Null for an account that is gone. */
    user: userSchema.nullable(),
    created_at: time,
    /** Later than `created_at` once it was edited; not where that was in the same second. */
    updated_at: time,
    /** Empty where it is on an issue. */
    pull_request_url: z.string(),
  })
  .transform(({ id, body, user, created_at, updated_at, pull_request_url }) => ({
    ...{ id, body, user, createdAt: created_at, updatedAt: updated_at },
    pull: numberAtEnd(pull_request_url),
  }));

export type ForgeComment = Readonly<z.infer<typeof commentSchema>>;

export const pullSchema = z
  .object({
    number: z.int(),
    state: z.enum(["open", "closed"]),
    created_at: time,
    base: z.object({
      ref: z.string(),
      repo: z.object({ full_name: z.string(), default_branch: z.string() }),
    }),
    head: z.object({
      ref: z.string(),
      sha: commit,
      /** Null when the fork is gone. */
      repo: z.object({ full_name: z.string() }).nullable(),
    }),
  })
  .transform(({ number, state, created_at, base, head }) => ({
    ...{ number, isOpen: state === "open", createdAt: created_at },
    ...{ head: head.sha, base: base.repo.full_name },
    ...{ into: base.ref, mainBranch: base.repo.default_branch },
    // A fork; or, with no branch of its own, what anybody who may read can push to `refs/for/…`.
    isForeign: head.repo?.full_name !== base.repo.full_name || head.ref.startsWith("refs/pull/"),
  }));

export type Pull = Readonly<z.infer<typeof pullSchema>>;

/** An entry of what happened to a pull request. */
export const eventSchema = z
  .object({ id: z.int(), type: z.string(), created_at: time, body: z.string() })
  .transform(({ id, type, created_at, body }) => ({
    ...{ id, type, createdAt: created_at },
    /** The newest commit of a push; undefined where it is none, or does not say. */
    pushed: type === "pull_push" ? newestOfPush(body) : undefined,
  }));

export type PullEvent = Readonly<z.infer<typeof eventSchema>>;

export const branchSchema = z.object({ commit: z.object({ id: commit }) });

/** What its operator chose for all who ask. */
export const limitsSchema = z.object({ max_response_items: z.int().min(1) });

/** All whose names begin so. */
export const refsSchema = z.array(
  z.object({ ref: z.string(), object: z.object({ sha: z.string() }) }),
);

export const madeSchema = z.object({ id: z.int().min(1) });

const pushSchema = z.object({ commit_ids: z.array(commit) });

/** The forge has the commits of a push in their order; of one by force the one before, and the one after. */
function newestOfPush(body: string): string | undefined {
  try {
    return pushSchema.parse(JSON.parse(body)).commit_ids.at(-1);
  } catch {
    return undefined;
  }
}

/** Undefined where it ends with none. */
function numberAtEnd(url: string): number | undefined {
  const digits = /\/([1-9]\d{0,9})$/.exec(url)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
