import type { Resource } from "../../../services/converge/desired-state.ts";
import { JudgedFiles } from "../../../services/converge/engine/judged-files.ts";
import type { Line } from "../../../services/converge/engine/line.ts";
import type { Report } from "../../../services/converge/engine/report.ts";
import { Sights } from "../../../services/converge/engine/sights.ts";
import { Slots } from "../../../services/converge/engine/slots.ts";
import type { Context } from "../../../services/converge/engine/steps.ts";
import type { World } from "../../../services/converge/engine/world.ts";

/** Notes what a run says. */
export interface HeardReport extends Report {
  readonly heard: string[];
  readonly warnings: Line[];
}

export function heardReport(): HeardReport {
  const heard: string[] = [];
  const warnings: Line[] = [];
  return {
    heard,
    warnings,
    call: ({ verb, target }) => void heard.push(`${verb} ${target}`),
    waiting: (what) => void heard.push(`waits: ${what}`),
    warning: (line) => void warnings.push(line),
  };
}

/** Remembers nothing: steps are asked here without the engine, which forgets around each call. */
class NoSights extends Sights {
  override async of<Sight>(_: unknown, look: () => Promise<Sight>): Promise<Sight> {
    return await look();
  }
}

/** A context with only those parts of the world that the test hands over; any other one throws. */
export function contextOf(
  parts: Partial<Omit<Context, "world">> & { readonly world?: Partial<World> } = {},
): Context {
  const world = new Proxy(parts.world ?? {}, {
    get(target, name) {
      if (name in target) return target[name as keyof World];
      throw new Error(`the test handed over no ${String(name)}`);
    },
  }) as World;
  return {
    host: "cc-ci",
    piece: "traefik",
    resources: [] as readonly Resource[],
    slots: new Slots({}),
    judged: new JudgedFiles(),
    sights: new NoSights(),
    report: heardReport(),
    mayWait: true,
    foreseen: new Set<string>(),
    ...parts,
    world,
  };
}
