import { readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { syncFolder, writeDurably } from "../lib/durable-file.ts";
import { isNotThere } from "../lib/not-there.ts";
import {
  type RunRequest,
  type RunResults,
  runRequestSchema,
  runResultsSchema,
  runVersion,
} from "../lib/run.ts";
import { makeArtefactsFolder } from "./content.ts";

/** Begins the name of a folder that is about to be a run's. */
export const unborn = ".new-";

/** Begins the name of a folder that is about to be gone. */
export const leaving = ".gone-";

/**
 * Where the folder of a run is made ready: it becomes the run's with its last step, a rename. So a service
 * that was killed can tell: as long as this is there, the run never began, or is another service's.
 */
export function unbornFolder(runsFolder: string, invocation: string): string {
  return join(runsFolder, `${unborn}${invocation}`);
}

export async function prepareFolder(folder: string, request: RunRequest): Promise<void> {
  await makeArtefactsFolder(folder);
  await oweTearDown(folder, { tries: 0 });
  await writeDurably(join(folder, "request.json"), json(request));
}

/** Gives a folder its final name. @returns false when there is a run of that name already */
export async function claimFolder(
  runsFolder: string,
  prepared: string,
  id: string,
): Promise<boolean> {
  try {
    // The system refuses this where something is in the way, for folders with nothing in between.
    await rename(prepared, join(runsFolder, id));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") return false;
    throw error;
  }
  await syncFolder(runsFolder);
  return true;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}

/** Removes a folder; it has another name at once, so that nobody takes half of it for a run. */
export async function removeFolder(runsFolder: string, name: string): Promise<void> {
  const gone = join(runsFolder, `${leaving}${name.replace(/^\./, "")}`);
  await rm(gone, { recursive: true, force: true });
  await rename(join(runsFolder, name), gone);
  await rm(gone, { recursive: true, force: true });
}

/**
 * In the folder of a run until its teardown has succeeded. It is there from the start, so that a teardown is
 * owed whatever was killed, and whatever the results say.
 */
const debtFile = "tear-down-owed.json";

const debtSchema = z.object({
  /** How often it was tried. */
  tries: z.int().min(0),
  /** When it was tried for the last time, ISO 8601. */
  triedAt: z.iso.datetime().optional(),
});

/** A teardown that is owed. */
export type Debt = Readonly<z.infer<typeof debtSchema>>;

/** Undefined when none is owed. */
export async function owedTearDown(folder: string): Promise<Debt | undefined> {
  const path = join(folder, debtFile);
  if (!(await exists(path))) return undefined;
  return debtSchema.safeParse(await readJson(path)).data ?? { tries: 0 };
}

export async function oweTearDown(folder: string, debt: Debt): Promise<void> {
  await writeDurably(join(folder, debtFile), json(debt));
}

/** Where it is noted that a teardown is owed, for a person who pays. */
export function debtOf(folder: string): string {
  return join(folder, debtFile);
}

export async function settleTearDown(folder: string): Promise<void> {
  await rm(join(folder, debtFile), { force: true });
  await syncFolder(folder);
}

/** What a run was asked for; undefined where its folder does not say. */
export async function readRequest(folder: string): Promise<RunRequest | undefined> {
  return runRequestSchema.safeParse(await readJson(join(folder, "request.json"))).data;
}

/** What a run came to; undefined where it does not say, or says it of another one. */
export async function readResults(folder: string): Promise<RunResults | undefined> {
  const { data } = runResultsSchema.safeParse(await readJson(join(folder, "results.json")));
  const request = await readRequest(folder);
  return data?.request.id === request?.id ? data : undefined;
}

/** Says that a run was ended before it could say what it came to. @param reason a sentence */
export async function writeAborted(
  folder: string,
  request: RunRequest,
  reason: string,
): Promise<void> {
  const began = await stat(join(folder, "request.json"));
  const results: RunResults = {
    ...{ version: runVersion, request, outcome: "aborted", reason, stages: [] },
    startedAt: began.mtime.toISOString(),
    endedAt: new Date().toISOString(),
  };
  await writeDurably(join(folder, "results.json"), json(results));
}

/** Larger files are none of a run: 1 MiB. */
const largest = 1024 * 1024;

/** Undefined where there is no such file, or something else than JSON in it. */
async function readJson(path: string): Promise<unknown> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > largest) return undefined;
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (isNotThere(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
