import * as z from "zod";

/**
 * What is read from Drone's API (2.28): its answers have many more members, and members without a value
 * are left out of some of them.
 */

/** Of builds, stages and steps. A build of `error` never began: its configuration could not be used. */
const status = z.enum([
  "skipped",
  "blocked",
  "declined",
  "waiting_on_dependencies",
  "pending",
  "running",
  "success",
  "failure",
  "killed",
  "error",
]);

/** Seconds since 1970; 0 for what has not come to pass. */
const time = z.int().transform((seconds) => (seconds === 0 ? null : new Date(seconds * 1000)));

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const stepSchema = z.object({ number: z.int(), name: z.string(), status, exit_code: z.int() });

const stageSchema = z.object({
  number: z.int(),
  name: z.string(),
  status,
  error: text,
  /** The runner that took it; empty as long as none has. */
  machine: text,
  started: time,
  updated: time,
  steps: z
    .array(stepSchema)
    .nullish()
    .transform((value) => value ?? []),
});

export const buildSchema = z.object({
  number: z.int(),
  status,
  event: z.string(),
  /** Of a build of `error`: why. */
  error: text,
  /** The commit that is built, which may be another than was asked for by a short name. */
  after: z.string(),
  params: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
  created: time,
  started: time,
  finished: time,
  /** Not in the answer to a start, nor in a list. */
  stages: z
    .array(stageSchema)
    .nullish()
    .transform((value) => value ?? []),
});

export type Build = z.infer<typeof buildSchema>;

const permissions = z.object({ read: z.boolean(), write: z.boolean(), admin: z.boolean() });

export type Permissions = z.infer<typeof permissions>;

/** A repository as the forge itself shows it to an account. */
export const remoteRepositorySchema = z.object({ permissions });

/** Those that the forge has for an account: its own, those that it was added to, those of its teams. */
export const remoteListSchema = z
  .array(z.object({ slug: z.string() }))
  .nullish()
  .transform((value) => value ?? []);

export const repositorySchema = z.object({
  slug: z.string(),
  /** Of the account whose login on the forge Drone uses for it. */
  user_id: z.int(),
  active: z.boolean(),
  visibility: z.string(),
  config_path: z.string(),
  trusted: z.boolean(),
  protected: z.boolean(),
  ignore_forks: z.boolean(),
  ignore_pull_requests: z.boolean(),
  /** In minutes. */
  timeout: z.int(),
  /** Of the account that asks; undefined where Drone has read nothing for it. */
  permissions: permissions.nullish().transform((value) => value ?? undefined),
});

export type Repository = z.infer<typeof repositorySchema>;

/** The settings of a repository that can be changed. */
export type RepositorySettings = Partial<
  Omit<Repository, "slug" | "user_id" | "active" | "permissions">
>;

export const userSchema = z.object({
  id: z.int(),
  login: z.string(),
  admin: z.boolean(),
  machine: z.boolean(),
  active: z.boolean(),
  created: time,
  /** With the forge; null for an account that was only made. */
  last_login: time,
});

export type User = z.infer<typeof userSchema>;

/** The answer to a rotation: the token that counts from then on. */
export const tokenSchema = z.object({ token: z.string().min(1) });

export const logSchema = z
  .array(z.object({ pos: z.int(), out: z.string(), time: z.int() }))
  .nullish()
  .transform((value) => value ?? []);

export const refusalSchema = z.object({ message: z.string() });
