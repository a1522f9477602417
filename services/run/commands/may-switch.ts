import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { defineLines } from "../../lib/line.ts";
import { livingRuns } from "../../lib/living-runs.ts";
import { isNotThere } from "../../lib/not-there.ts";
import { runPlaces } from "../../lib/run.ts";
import { mustBeRoot } from "./list.ts";

export const maySwitchLines = defineLines({
  "runs-in-the-way": {
    as: "refused",
    says: "this switch {does}, and would end what runs: {runs}. To let it end by itself, 'systemctl stop cc-ci-run.socket' (no further run begins, builds wait), look at 'cc-ci-run list', then switch. To end it now, in order: 'systemctl stop cc-ci-run@*.service', then switch",
  },
});

/** Whose change restarts Docker, with every container of a run. */
const dockerUnits = ["docker.service", "docker.socket"];

/** What a run is an instance of: without it, it has no last command. */
const template = "cc-ci-run@.service";

/** Below a system that NixOS has built. */
const unitFolder = "etc/systemd/system";

/** The system that was last activated. */
const running = "/run/current-system";

/** What activates something; a check asks as if. */
const activating = new Set(["switch", "test", "check"]);

/**
 * `cc-ci-run may-switch <system> <action>`: what NixOS asks before it activates another system.
 *
 * @param action what switch-to-configuration was called with
 * @returns the exit status: 0 when no run would be ended
 * @throws {Stop} with the runs
 */
export async function maySwitchCommand(system: string, action: string): Promise<number> {
  mustBeRoot();
  if (!activating.has(action)) return 0;
  const runs = await livingRuns(runPlaces.living);
  const began = runs.map(({ since }) => new Date(since));
  const does = runs.length === 0 ? undefined : await harmOf(running, system, began, new Date());
  if (does === undefined) return 0;
  const named = runs.map(({ id, recipe, since }) => `${id} (${recipe}, since ${since})`);
  throw maySwitchLines.stop("runs-in-the-way", { does, runs: named.join(", ") });
}

/**
 * What a switch from one system to another does to runs, as the words of a line; undefined for nothing.
 *
 * @param began when each of the runs did
 */
export async function harmOf(
  before: string,
  after: string,
  began: readonly Date[],
  now: Date,
): Promise<string | undefined> {
  if (await isDockerRestarted(before, after)) return "restarts Docker";
  const [old, fresh] = [await unitText(before, template), await unitText(after, template)];
  if (fresh === "" && old !== "") return "takes the service of test runs away";
  // A new limit holds for what runs too: systemd reads it again.
  const minutes = Number(/^RuntimeMaxSec=(\d+)min$/m.exec(fresh)?.[1] ?? Number.POSITIVE_INFINITY);
  const isOver = began.some((since) => now.getTime() - since.getTime() >= minutes * 60_000);
  return isOver ? `lets no test take longer than ${minutes} min` : undefined;
}

/** Whether a unit of Docker differs between two systems; more careful than NixOS, to which words are nothing. */
async function isDockerRestarted(before: string, after: string): Promise<boolean> {
  for (const unit of dockerUnits) {
    const [old, fresh] = await Promise.all([unitText(before, unit), unitText(after, unit)]);
    // Who has none yet has nothing to restart.
    if (old !== "" && old !== fresh) return true;
  }
  return false;
}

/** A unit's file with what lies over it; empty where there is none. */
async function unitText(system: string, unit: string): Promise<string> {
  const file = join(system, unitFolder, unit);
  const overrides = (await orNothing(() => readdir(`${file}.d`))) ?? [];
  const files = [file, ...overrides.toSorted().map((name) => join(`${file}.d`, name))];
  const texts = files.map((path) => orNothing(() => readFile(path, "utf8")));
  return (await Promise.all(texts))
    .map((text) => text ?? "")
    .join("\n")
    .trim();
}

async function orNothing<Value>(use: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await use();
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}
