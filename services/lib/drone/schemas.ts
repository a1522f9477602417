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

export const repositorySchema = z.object({
  slug: z.string(),
  active: z.boolean(),
  visibility: z.string(),
  config_path: z.string(),
  trusted: z.boolean(),
  protected: z.boolean(),
  ignore_forks: z.boolean(),
  ignore_pull_requests: z.boolean(),
  /** In minutes. */
  timeout: z.int(),
});

export type Repository = z.infer<typeof repositorySchema>;

/** The settings of a repository that can be changed. */
export type RepositorySettings = Partial<Omit<Repository, "slug" | "active" | "protected">>;

export const userSchema = z.object({
  login: z.string(),
  admin: z.boolean(),
  machine: z.boolean(),
  active: z.boolean(),
});

export type User = z.infer<typeof userSchema>;

export const logSchema = z
  .array(z.object({ pos: z.int(), out: z.string(), time: z.int() }))
  .nullish()
  .transform((value) => value ?? []);

export const refusalSchema = z.object({ message: z.string() });
