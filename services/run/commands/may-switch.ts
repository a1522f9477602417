import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hold } from "../../lib/holds.ts";
import { defineLines } from "../../lib/line.ts";
import { type HeldRuns, heldRuns, livingRuns } from "../../lib/living-runs.ts";
import { isNotThere } from "../../lib/not-there.ts";
import { runnerUnit, runPlaces } from "../../lib/run.ts";
import { runUnits } from "../systemctl.ts";
import { mustBeRoot } from "./list.ts";

export const maySwitchLines = defineLines({
  "runs-in-the-way": {
    as: "refused",
    says: "this switch {does}: {runs}. Put 'cc-ci-run drain' before its command: that lets what runs end by itself, and builds wait; or 'cc-ci-run drain --end', which ends it now, in order",
  },
});

const ends = "end what runs";

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
 * `cc-ci-run may-switch <system> <action> [<pid>]`: what NixOS asks before it activates another system.
 *
 * Where that would end whatever runs, no run may begin either until the switch is over: this program has
 * ended by then, so it is the process of the switch that holds them. When that is gone, with or without a
 * switch, runs begin again by themselves.
 *
 * @param action what switch-to-configuration was called with
 * @param pid its process; none for who only asks
 * @returns the exit status: 0 when no run would be ended
 * @throws {Stop} with the runs
 */
export async function maySwitchCommand(
  system: string,
  action: string,
  pid: number | undefined,
): Promise<number> {
  mustBeRoot();
  if (!activating.has(action)) return 0;
  const does = await harmToAny(running, system);
  if (does === undefined) {
    const runs = await livingRuns(runPlaces.living);
    const began = runs.map(({ since }) => new Date(since));
    const other =
      (await waitForBuilds(running, system)) ?? (await harmToOld(system, began, new Date()));
    refuseFor(other, { runs, nameless: [] });
  } else if (action === "check" || pid === undefined) {
    refuseFor(does, { runs: await livingRuns(runPlaces.living), nameless: [] });
  } else {
    const held = await hold(runPlaces.holds, "runs", pid);
    try {
      refuseFor(does, await heldRuns(runPlaces.living, runUnits));
    } catch (error) {
      await held.release();
      throw error;
    }
  }
  return 0;
}

function refuseFor(does: string | undefined, { runs, nameless }: HeldRuns): void {
  if (does === undefined || runs.length + nameless.length === 0) return;
  const named = [
    ...runs.map(({ id, recipe, since }) => `${id} (${recipe}, since ${since})`),
    ...nameless.map((unit) => `one that is about to begin (${unit})`),
  ];
  throw maySwitchLines.stop("runs-in-the-way", { does, runs: named.join(", ") });
}

/** What a switch from one system to another does to every run, as the words of a line; undefined for nothing. */
export async function harmToAny(before: string, after: string): Promise<string | undefined> {
  if (await isDockerRestarted(before, after)) return `restarts Docker, and would ${ends}`;
  const [old, fresh] = [await unitText(before, template), await unitText(after, template)];
  return fresh === "" && old !== ""
    ? `takes the service of test runs away, and would ${ends}`
    : undefined;
}

/**
 * Whether a switch waits for builds: it stops what is to be no more, and the runner ends once its builds are
 * through, all the while with the host half switched. Runs are not held for it, which would only make the builds
 * longer that it waits for; one that begins right now is waited for.
 */
export async function waitForBuilds(before: string, after: string): Promise<string | undefined> {
  const [old, fresh] = [await unitText(before, runnerUnit), await unitText(after, runnerUnit)];
  return old !== "" && fresh === ""
    ? "takes the runner of builds away, and would wait for what runs"
    : undefined;
}

/**
 * What a switch to a system does to runs that have gone on for long; undefined for nothing. One that begins
 * meanwhile is none of those.
 *
 * @param began when each of the runs did
 */
export async function harmToOld(
  after: string,
  began: readonly Date[],
  now: Date,
): Promise<string | undefined> {
  const text = await unitText(after, template);
  // A new limit holds for what runs too: systemd reads it again.
  const minutes = Number(/^RuntimeMaxSec=(\d+)min$/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  const isOver = began.some((since) => now.getTime() - since.getTime() >= minutes * 60_000);
  return isOver ? `lets no test take longer than ${minutes} min, and would ${ends}` : undefined;
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
