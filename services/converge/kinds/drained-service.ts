import { holderOf } from "../../lib/holds.ts";
import { runPlaces } from "../../lib/run.ts";
import type { UnitState } from "../adapters/systemd.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { waitFor } from "../engine/waiting.ts";

export const drainedServiceLines = defineLines({
  "service-drains": {
    as: "pending",
    says: "{unit} is done with older settings once what it has begun has ended, and starts anew then: 'systemctl kill {unit}' ends that at once; the next run looks again",
  },
  "service-held": {
    as: "pending",
    says: "{unit} is not started while 'cc-ci-run drain' (process {pid}) lets no build be taken: it is when that has ended, or by the next run",
  },
  "service-not-running": {
    as: "failed",
    says: "{unit} does not stay up ({state}): see 'journalctl -u {unit}'; the next run starts it again",
  },
  "service-not-told": {
    as: "failed",
    says: "systemd does not {what} {unit} ({words}): see 'systemctl status {unit}'; the next run tries again",
  },
});

type DrainedService = ResourceOf<"drained-service">;

export interface ServiceSight {
  /** As systemd has it: `active`, `activating`, `deactivating`, `inactive`, `failed`. */
  readonly state: string;
  /** Of its main process; empty when it has none. */
  readonly command: string;
  /** When that was started. */
  readonly started: Date;
  /** Files that it reads when it starts and that changed since. */
  readonly changed: readonly string[];
  /** The process that lets it take nothing for now; undefined for none. */
  readonly holder: number | undefined;
}

/**
 * The call that brings the service up with these settings; none while it is about to.
 *
 * @param marks what the command line has of a process that was started with them
 */
export function planService(
  { unit }: DrainedService,
  marks: readonly string[],
  sight: ServiceSight,
  perform: (what: "start" | "restart") => Promise<void>,
): readonly Call[] {
  const call = (what: "start" | "restart", why: string): readonly Call[] => [
    {
      ...{ phase: "apply", verb: `service ${what}`, target: unit, why },
      perform: () => perform(what),
    },
  ];
  if (sight.state === "deactivating" || sight.holder !== undefined) return [];
  if (sight.state !== "active" && sight.state !== "activating") {
    return call("start", "it does not run");
  }
  const why = whyOutdated(marks, sight);
  return why === undefined ? [] : call("restart", why);
}

function whyOutdated(
  marks: readonly string[],
  { command, changed }: ServiceSight,
): string | undefined {
  if (command === "") return undefined;
  if (marks.some((mark) => !command.includes(mark))) return "it was started with other settings";
  const [file] = changed;
  return file === undefined ? undefined : `${file} changed since it was started`;
}

export function drainedServiceSteps(resource: DrainedService, context: Context): Steps {
  const { unit, files, settings, program, waitSeconds } = resource;
  const { systemd, clock, files: disk } = context.world;
  const marks = () => [settings, context.slots.get(program, unit)];

  const see = async (): Promise<ServiceSight> => {
    const [found] = await systemd.units([unit]);
    const [command, started] = [await systemd.commandOf(unit), await systemd.startOf(unit)];
    const changed: string[] = [];
    for (const file of files) {
      const modified = await disk.modified(file);
      // What a clock that was ahead has dated tells nothing.
      const isLater = modified !== undefined && modified > started && modified <= clock.now();
      if (isLater) changed.push(file);
    }
    const holder = await holderOf(runPlaces.holds, "builds");
    return { state: stateOf(found), command, started, changed, holder };
  };

  const perform = async (what: "start" | "restart"): Promise<void> => {
    const words = await systemd.queue(what, unit);
    if (words !== "") throw drainedServiceLines.stop("service-not-told", { what, unit, words });
  };

  const isUp = (sight: ServiceSight): boolean =>
    sight.state === "active" && sight.command !== "" && whyOutdated(marks(), sight) === undefined;

  return {
    phases: ["apply"],
    plan: async () => planService(resource, marks(), await see(), perform),
    verify: async () => {
      let sight = await see();
      const begun = clock.monotonic();
      const up = await waitFor(clock, { seconds: waitSeconds }, async () => {
        sight = await see();
        // What it has begun may take long: nobody waits for that here.
        const drains = sight.state === "deactivating" && clock.monotonic() - begun >= idleSeconds;
        return isUp(sight) || drains || sight.holder !== undefined ? true : undefined;
      });
      if (isUp(sight)) return;
      const pid = sight.holder;
      if (pid !== undefined) throw drainedServiceLines.stop("service-held", { unit, pid });
      if (up) throw drainedServiceLines.stop("service-drains", { unit });
      throw drainedServiceLines.stop("service-not-running", { unit, state: sight.state });
    },
  };
}

/** Within this time one is through that has begun nothing, in seconds. */
const idleSeconds = 10;

function stateOf(found: UnitState | undefined): string {
  return found?.ActiveState ?? "inactive";
}
