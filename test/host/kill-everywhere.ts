import { expect } from "vitest";
import { callsIn, type Runs, runAsPlanned } from "./as-planned.ts";
import { expectAtRest } from "./at-rest.ts";
import { type FinalState, finalState } from "./final-state.ts";
import type { Host } from "./host.ts";
import type { Configuration } from "./system.ts";
import { Witnesses } from "./witnesses.ts";

/** SIGKILL to every process of the unit, or to every process of the host. */
type Kill = "unit" | "power";

type Moment = "before" | "after";

/**
 * Kinds and moments that hit every place between two calls with both kinds, for what is after one call
 * is before the next. With EVERY_KILL=true in the environment it is each kind at each moment.
 */
export function killsOfBothKinds(before: Kill): readonly (readonly [Kill, Moment])[] {
  const after = before === "unit" ? "power" : "unit";
  const chosen = [[before, "before"] as const, [after, "after"] as const];
  if (process.env.EVERY_KILL !== "true") return chosen;
  return [...chosen, [before, "after"], [after, "before"]];
}

/** One run that is to be killed, and what the host is like before. */
export interface Way {
  /** The piece whose unit runs. */
  readonly piece: string;
  /** Brings the host to where the run begins, from where the way before has left it. */
  readonly begin: (host: Host) => Promise<void>;
  /**
   * Ways of the same name do the same, such as there and back, and are killed at the next call in
   * turn. Undefined where the way is never killed, and only leads to the next one.
   */
  readonly turn?: string;
}

/** What a way comes to when nobody disturbs it. */
interface Goal {
  readonly calls: readonly string[];
  readonly state: FinalState;
}

/**
 * The configuration of a host on which nothing of ours starts but by a test's own hand, not at boot
 * either: it looks around between a kill and the next run.
 */
export function startsNothing(app: Configuration["app"]): Configuration {
  const module = `{ lib, ... }: {
    systemd.targets.cc-ci.wantedBy = lib.mkForce [ ];
    systemd.timers.cc-ci-reconcile.wantedBy = lib.mkForce [ ];
    systemd.paths = lib.mkForce { };
  }`;
  return { app, modules: [module] };
}

/**
 * Goes along some ways, round and round, and kills each run at one of its mutating calls: at the first
 * one, then at the second one, until one runs through without coming to the call that it was to be
 * killed at. After each kill `plan` must say what the next run then does, and that run must bring the
 * host to the very state that an undisturbed one brings it to, and leave alone what is not ours.
 *
 * @param options.kill `in turn`: the unit at the first call, the power at the second, and so on
 * @param options.witnesses of the host, from before its first way
 * @returns how many runs were killed
 */
export async function killEverywhere(
  host: Host,
  ways: readonly Way[],
  { kill, moment, witnesses }: { kill: Kill | "in turn"; moment: Moment; witnesses: Witnesses },
): Promise<number> {
  const goals = new Map<Way, Goal>();
  for (const way of ways) goals.set(way, await undisturbed(host, way));
  /** The call that the next run of each turn is killed at. */
  const due = new Map(ways.flatMap(({ turn }) => (turn === undefined ? [] : [[turn, 1]])));
  const kindAt = (call: number) => (kill !== "in turn" ? kill : call % 2 === 1 ? "unit" : "power");
  let killed = 0;
  while (due.size > 0) {
    for (const way of ways) {
      if (due.size === 0) break;
      const { turn = "" } = way;
      const goal = goals.get(way) as Goal;
      const call = due.get(turn);
      const what = `${turn || way.piece}, ${moment} call ${call}: ${goal.calls[(call ?? 0) - 1]}`;
      await way.begin(host);
      if (call !== undefined) {
        const isKilled = await killAt(host, way, goal, { kill: kindAt(call), moment, call });
        if (isKilled) due.set(turn, call + 1);
        else due.delete(turn);
        killed += isKilled ? 1 : 0;
      }
      await expectGoal(host, goal, what);
      const touched = await witnesses.touched({ restarted: kill !== "unit" });
      expect(touched, `${what}: what is not ours`).toEqual([]);
    }
  }
  await expectAtRest(host);
  return killed;
}

async function undisturbed(host: Host, way: Way): Promise<Goal> {
  await way.begin(host);
  const runs = await runAsPlanned(host);
  const state = await finalState(host);
  expectConverged(runs, "undisturbed");
  return { calls: runs[way.piece]?.calls ?? [], state };
}

/** @returns whether the run came to that call */
async function killAt(
  host: Host,
  { piece }: Way,
  { calls }: Goal,
  { kill, moment, call }: { kill: Kill; moment: Moment; call: number },
): Promise<boolean> {
  const unit = `cc-ci-${piece}.service`;
  const since = Date.now();
  await host.faults.stopAt(unit, call, moment);
  await host.exec(["systemctl", "start", "--no-block", unit]);
  const stopped = await host.faults.waitUntilStopped(unit);
  if (!stopped) expect(call, "the call that no run came to").toBe(calls.length + 1);
  else {
    expect(callsIn(await host.journal(unit, since))).toEqual(calls.slice(0, call));
    if (kill === "power") await host.powerCut();
    else await host.faults.killUnit(unit);
  }
  if (kill === "unit" || !stopped) await host.faults.stopNowhere(unit);
  await host.settle();
  return stopped;
}

async function expectGoal(host: Host, goal: Goal, at: string): Promise<void> {
  try {
    expectConverged(await runAsPlanned(host), at);
    expect(await finalState(host)).toEqual(goal.state);
  } catch (error) {
    throw new Error(`${at}\n${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}

function expectConverged(runs: Runs, at: string): void {
  for (const [piece, { state, line }] of Object.entries(runs)) {
    expect({ piece, state, line }, at).toEqual({ piece, state: "converged", line: null });
  }
}

/** A host as it was once, which it is to be brought back to. */
export class Recovered {
  readonly #host: Host;
  readonly #state: FinalState;
  readonly #witnesses: Witnesses;

  private constructor(host: Host, state: FinalState, witnesses: Witnesses) {
    this.#host = host;
    this.#state = state;
    this.#witnesses = witnesses;
  }

  /** Puts witnesses on a host that has converged, and remembers what it is like. */
  static async asNow(host: Host): Promise<Recovered> {
    const witnesses = await Witnesses.put(host);
    return new Recovered(host, await finalState(host), witnesses);
  }

  /** Shows that the next run does what `plan` says, and brings the host there. */
  async again(): Promise<void> {
    await this.#host.settle();
    expectConverged(await runAsPlanned(this.#host), "the next run");
    expect(await finalState(this.#host)).toEqual(this.#state);
    expect(await this.#witnesses.touched({ restarted: true })).toEqual([]);
  }
}

/** Removes a stack and all that a unit made for it by hand, as if it had never been. */
export async function removeStack(host: Host, domain: string, piece: string): Promise<void> {
  const stack = domain.replaceAll(".", "_");
  const script = `
of="label=com.docker.stack.namespace=${stack}"
docker service rm $(docker service ls --quiet --filter $of)
docker container rm --force $(docker container ls --all --quiet --filter $of)
docker secret rm $(docker secret ls --quiet --filter name=${stack}_)
docker config rm $(docker config ls --quiet --filter name=${stack}_)
rm -rf /var/lib/cc-ci/abra/${domain} /var/lib/cc-ci/state/${piece}
for network in $(docker network ls --quiet --filter $of); do
  until docker network rm $network; do sleep 0.2; done
done`;
  await host.exec(["sh", "-c", script]);
}
