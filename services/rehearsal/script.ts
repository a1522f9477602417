import { readFile, stat } from "node:fs/promises";
import * as z from "zod";
import {
  type RunRequest,
  type RunResults,
  runRequestSchema,
  runResultsSchema,
} from "../lib/run.ts";

/** Where the script is on a host. Whoever can write it decides what runs do, so it is root's alone. */
const scriptPath = "/var/lib/cc-ci/rehearsal.json";

const seconds = z.number().min(0).max(86_400);

/** One thing that a rehearsal does. */
const act = z.union([
  z.strictObject({ say: z.string() }),
  z.strictObject({ sleepSeconds: seconds }),
  /** Prints that much. */
  z.strictObject({ floodBytes: z.int().min(1) }),
  /** Processes in sessions of their own that hold the output open and ignore being asked to end. */
  z.strictObject({ children: z.int().min(1).max(100) }),
]);

export type Act = z.infer<typeof act>;

const sceneSchema = z.strictObject({
  acts: z.array(act).default([]),
  /** Whether it goes on when it is asked to end. */
  ignoresEnd: z.boolean().default(false),
  /** `none`: it ends without a word; `garbage`: it leaves a file of that name that is no results. */
  results: z.enum(["written", "none", "garbage"]).default("written"),
  outcome: z.enum(["passed", "failed"]).default("passed"),
  reason: z.string().nullable().default(null),
  /** Null: two of its own, one of which a quick run leaves out. */
  stages: runResultsSchema.shape.stages.nullable().default(null),
  /** Of the whole program; null: as the outcome has it. */
  exitStatus: z.int().min(0).max(255).nullable().default(null),
  tearDown: z
    .strictObject({
      sleepSeconds: seconds.default(0),
      exitStatus: z.int().min(0).max(255).default(0),
    })
    .default({ sleepSeconds: 0, exitStatus: 0 }),
});

/** What the rehearsal of a recipe does. */
export type Scene = Readonly<z.infer<typeof sceneSchema>>;

/**
 * What a rehearsal says of its stages, with all that a test says of them.
 *
 * @param times when it began and ended, ISO 8601
 */
export function stagesOf(
  { stages, outcome, reason }: Pick<Scene, "stages" | "outcome" | "reason">,
  { quick }: Pick<RunRequest, "quick">,
  times: Pick<RunResults, "startedAt" | "endedAt">,
): RunResults["stages"] {
  if (stages !== null) return stages;
  const why = outcome === "passed" ? null : (reason ?? "its script says so");
  return [
    { name: "rehearse", status: outcome, reason: why, ...times },
    quick
      ? {
          ...{ name: "linger", status: "skipped", reason: "left out of a quick test" },
          ...{ startedAt: null, endedAt: null },
        }
      : { name: "linger", status: "passed", reason: null, ...times, startedAt: times.endedAt },
  ];
}

const scriptSchema = z.record(runRequestSchema.shape.recipe, sceneSchema);

/**
 * The scene of a recipe; one that says something and passes where there is no script, or nothing of it in it.
 *
 * @throws {Error} when the script is none, or others than root may have written it
 */
export async function sceneOf(recipe: string, path = scriptPath): Promise<Scene> {
  let text: string;
  try {
    const { uid, mode } = await stat(path);
    if (uid !== 0 || (mode & 0o077) !== 0) {
      throw new Error(`${path} must be root's alone: chown root and chmod 600`);
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    text = "{}";
  }
  return scriptSchema.parse(JSON.parse(text))[recipe] ?? sceneSchema.parse({});
}
