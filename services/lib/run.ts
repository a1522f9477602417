import * as z from "zod";

/**
 * A run: one test of a recipe at one commit, with the folder of files that it leaves. Whoever asks for one
 * makes its id; files are the truth, and databases are made of them.
 */

/** Where runs are on a host. */
export const runPlaces = {
  /** Who may connect to it may ask for a run. */
  socket: "/run/cc-ci-run.socket",
  /** A folder for each run that goes on, by the name of its service's instance. */
  living: "/run/cc-ci-run",
  /** A file for each process that lets no run begin, or no build be taken: see holds.ts. */
  holds: "/run/cc-ci-run-holds",
  /** A folder for each run that was begun, by its id. */
  runs: "/var/lib/cc-ci/runs",
} as const;

/** The services of runs: there is one from the moment in which somebody asks for a run. */
export const runServices = "cc-ci-run@*.service";

/** What takes builds from Drone's queue, as systemd knows it; there is none where there is no Drone. */
export const runnerUnit = "cc-ci-runner.service";

/**
 * How long a build waits for a place on the host, in seconds: the one before it may still be torn down, whose
 * place in Drone was free at once.
 */
export const placeSeconds = 900;

/**
 * How long a build waits, beside that, while no run may begin, in seconds: until a switch is through that restarted
 * Docker, whose pieces each wait for what they started.
 */
export const holdSeconds = 1800;

/** Raised when a reader of the old shape would misread the new one. */
export const runVersion = 1;

/** 16 hex digits, made by whoever asks for the run. */
const id = z.string().regex(/^[0-9a-f]{16}$/, "must be 16 hex digits, in lower case");

/** A recipe's name, as abra spells it. */
const recipe = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, "must be the name of a recipe, such as wiki");

/** The recipe's repository on the forge. */
const repository = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/,
    "must be owner and name, as in recipes/wiki",
  );

const commit = z.string().regex(/^[0-9a-f]{40}$/, "must be 40 hex digits, in lower case");

/** What is to be tested. */
export const runRequestSchema = z.strictObject({
  id,
  recipe,
  repository,
  /** Number of the pull request that it is about; null for a run by hand. */
  pull: z.int().min(1).max(2_147_483_647).nullable(),
  commit,
  /** Whether the slow stages are left out. */
  quick: z.boolean(),
});

export type RunRequest = z.infer<typeof runRequestSchema>;

/** How a stage came out. `unverified`: it should have run, and did not. */
const stageStatus = z.enum(["passed", "failed", "skipped", "unverified", "aborted"]);

const stage = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  status: stageStatus,
  /** Why it is not passed, in a sentence; null where it is. */
  reason: z.string().max(4096).nullable(),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
});

/** What a run came to: `results.json`, written by rename, once. */
export const runResultsSchema = z.strictObject({
  version: z.literal(runVersion),
  request: runRequestSchema,
  /** `aborted`: it was ended before it could say; what it says of its stages is then not the whole truth. */
  outcome: z.enum(["passed", "failed", "aborted"]),
  /** Why it is not passed, in a sentence; null where it is. */
  reason: z.string().max(4096).nullable(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  stages: z.array(stage).max(64),
});

export type RunResults = z.infer<typeof runResultsSchema>;

/** Begins the name of each parameter that a build may get from us, and of no other. */
const parameterPrefix = "CCCI_";

/** What a build is started with: the fields of the request, each as text. */
export function parametersOf(request: RunRequest): Readonly<Record<string, string>> {
  const { id, recipe, repository, pull, commit, quick } = runRequestSchema.parse(request);
  return {
    CCCI_ID: id,
    CCCI_RECIPE: recipe,
    CCCI_REPOSITORY: repository,
    CCCI_PULL: pull === null ? "" : String(pull),
    CCCI_COMMIT: commit,
    CCCI_QUICK: String(quick),
  };
}

const parameters = z
  .strictObject({
    CCCI_ID: id,
    CCCI_RECIPE: recipe,
    CCCI_REPOSITORY: repository,
    CCCI_PULL: z.string().regex(/^(?:[1-9]\d{0,9})?$/, "must be a whole number, or empty"),
    CCCI_COMMIT: commit,
    CCCI_QUICK: z.enum(["true", "false"]),
  })
  .transform(({ CCCI_ID, CCCI_RECIPE, CCCI_REPOSITORY, CCCI_PULL, CCCI_COMMIT, CCCI_QUICK }) => ({
    ...{ id: CCCI_ID, recipe: CCCI_RECIPE, repository: CCCI_REPOSITORY, commit: CCCI_COMMIT },
    pull: CCCI_PULL === "" ? null : Number(CCCI_PULL),
    quick: CCCI_QUICK === "true",
  }))
  .pipe(runRequestSchema);

/**
 * The request that a step finds in its environment.
 *
 * @throws {Error} with each parameter that is missing, unknown or wrong, and never with its value
 */
export function requestIn(environment: Readonly<Record<string, string | undefined>>): RunRequest {
  const own = Object.entries(environment).filter(([name]) => name.startsWith(parameterPrefix));
  const parsed = parameters.safeParse(Object.fromEntries(own));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === "unrecognized_keys") return `${issue.keys.join(", ")}: unknown`;
    const name = issue.path.join(".");
    return `${name}: ${name in environment ? issue.message : "missing"}`;
  });
  throw new Error(`the build's parameters are no request for a run: ${problems.join("; ")}`);
}
