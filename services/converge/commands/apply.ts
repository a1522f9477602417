import { say } from "../../lib/say.ts";
import { stopAtVariable } from "../../lib/stop-here.ts";
import { systemClock } from "../adapters/clock.ts";
import { Systemd } from "../adapters/systemd.ts";
import { Gate } from "../engine/gate.ts";
import { readDesired } from "../engine/installed.ts";
import { JudgedFiles } from "../engine/judged-files.ts";
import { endAfter, lastEndLines, lastEndPath, readLastEnd } from "../engine/last-end.ts";
import { defineLines, exitStatus, type Stop } from "../engine/line.ts";
import { unitOf } from "../engine/places.ts";
import { consoleReport, type Report } from "../engine/report.ts";
import { apply } from "../engine/run.ts";
import { noteRunBegun, noteRunEnded } from "../engine/run-begun.ts";
import { Sights } from "../engine/sights.ts";
import { Slots } from "../engine/slots.ts";
import type { Context } from "../engine/steps.ts";
import { asStop } from "../engine/surprise.ts";
import { stepsOf } from "../kinds/index.ts";
import { realWorld } from "./world.ts";

export const applyLines = defineLines({
  "outside-its-unit": {
    as: "refused",
    says: "apply runs in its unit alone, which is the lock on what it changes: systemctl start {unit}",
  },
});

/**
 * `converge apply <file> [--slot name=value]…`: makes one piece true.
 *
 * @returns the exit status
 */
export async function applyCommand(
  file: string,
  slots: Readonly<Record<string, string>>,
): Promise<number> {
  const world = realWorld({ mayKeep: true });
  const report = consoleReport();
  const gate = new Gate(report, process.env[stopAtVariable]);
  const started = systemClock.monotonic();
  let piece: string | undefined;
  let stop: Stop | undefined;
  try {
    const state = await readDesired(world.files, file);
    await mustBeIn(unitOf(state.piece));
    piece = state.piece;
    await noteRunBegun(world.files, piece, systemClock.now());
    const context: Context = {
      ...{ host: state.host, piece, resources: state.resources },
      ...{
        slots: new Slots(slots),
        judged: new JudgedFiles(),
        sights: new Sights(),
        world,
        report,
        mayWait: true,
        foreseen: new Set<string>(),
      },
    };
    await apply(state, context, stepsOf, gate);
  } catch (error) {
    stop = asStop(error);
  }
  const end = {
    outcome: stop === undefined ? ("converged" as const) : outcomeOf(stop),
    line: stop?.line ?? null,
    at: systemClock.now(),
    calls: gate.count,
    seconds: systemClock.monotonic() - started,
  };
  const previous = piece === undefined ? undefined : await readLastEnd(world.files, piece);
  const recorded = endAfter(previous, end);
  if (piece !== undefined) {
    await record(piece, JSON.stringify(recorded, null, 2), report);
    await noteRunEnded(world.files, piece);
  }
  const took = `${end.seconds.toFixed(1)} s`;
  if (recorded.line !== null) {
    say(`${recorded.outcome} [${recorded.line.id}]: ${recorded.line.text}`, "error");
    if (stop?.details) say(stop.details, "info");
  } else if (gate.count === 0) say(`converged: nothing to do (${took})`);
  else say(`converged: ${gate.count} ${gate.count === 1 ? "call" : "calls"} (${took})`);
  return exitStatus[recorded.outcome];
}

async function mustBeIn(unit: string): Promise<void> {
  const own = await new Systemd().ownService();
  if (own !== unit) throw applyLines.stop("outside-its-unit", { unit });
}

/** What the piece came to does not depend on whether it could be written down. */
async function record(piece: string, text: string, report: Report): Promise<void> {
  const path = lastEndPath(piece);
  try {
    await realWorld().files.write(path, `${text}\n`);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    report.warning(lastEndLines.warning("end-not-recorded", { path, problem }));
  }
}

function outcomeOf({ line }: Stop): "failed" | "refused" | "pending" {
  return line.as === "warning" ? "failed" : line.as;
}
