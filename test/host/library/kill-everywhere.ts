import { expect } from "vitest";
import { notYetKnown } from "../../../services/converge/engine/call.ts";
import type { Host } from "../host.ts";
import type { Configuration, System } from "../system/system.ts";
import {
  callsUpTo,
  planOf,
  type Runs,
  runAll,
  runAsPlanned,
  startAlone,
  statusOf,
} from "./as-planned.ts";
import { expectIdlePass, hasRemains, quiet, stopsOf, withoutRemains } from "./at-rest.ts";
import { type FinalState, finalState } from "./final-state.ts";
import { Witnesses } from "./witnesses.ts";

/** SIGKILL to every process of the unit, or to every process of the host. */
type Kill = "unit" | "power";

type Moment = "before" | "after";

/**
 * What is tried at every call. In a row: after each, for what is after one call is before the next, mostly the
 * unit, of ten calls once the power, and the run that goes on is killed at the next call. With EVERY_KILL=true in
 * the environment it is both kinds at both moments, and each run that goes on may come to its end.
 */
export function killsToTry(): readonly (readonly [Kill | "in a row", Moment])[] {
  if (process.env.EVERY_KILL !== "true") return [["in a row", "after"]];
  const kinds = ["unit", "power"] as const;
  return kinds.flatMap((kill) => [[kill, "before"] as const, [kill, "after"] as const]);
}

/** One run that is to be killed, and what the host is like before. */
export interface Way {
  /** The piece whose unit runs. */
  readonly piece: string;
  /** Brings the host to where the run begins, from where the way before has left it. */
  readonly begin: (host: Host) => Promise<void>;
  /**
   * Ways of the same name do the same, such as there and back: the one is killed at the next call after
   * the other was at the call before, or the first of them at all calls in a row.
   */
  readonly turn: string;
  /** Whether Docker is restarted on the way, and every container with it. @default false */
  readonly restartsDocker?: boolean;
  /** Whether other pieces have something to do too, once this one has run. @default false */
  readonly takesOthersAlong?: boolean;
  /** Calls that are no longer to be made once the one before was: they come about by themselves. @default none */
  readonly byItself?: readonly string[];
  /** Waits for what plan asks and does not wait for, after a kill. @default nothing */
  readonly comesUp?: (host: Host) => Promise<void>;
  /** Starts what a path unit would, once a run is through that nobody kills. @default nothing */
  readonly afterwards?: (host: Host) => Promise<unknown>;
  /** What is another each time, in calls and in the state as JSON. @default nothing */
  readonly random?: RegExp;
  /** What the run stops with, as `<state> <id of the line>`. @default it converges */
  readonly stop?: string;
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
    systemd.timers = lib.mkForce { };
    systemd.paths = lib.mkForce { };
  }`;
  return { app, modules: [module] };
}

/**
 * Goes along some ways and kills runs at their mutating calls, at every one. After each kill `plan` must
 * say what the next run then does, and in the end the host must come to the very state that an
 * undisturbed run brings it to, and what is not ours be left alone.
 *
 * @param options.witnesses of the host, from before its first way
 * @returns the calls at which runs were killed, as `verb target`
 */
export async function killEverywhere(
  host: Host,
  ways: readonly Way[],
  { kill, moment, witnesses }: { kill: Kill | "in a row"; moment: Moment; witnesses: Witnesses },
): Promise<readonly string[]> {
  const goals = new Map<Way, Goal>();
  for (const way of ways) goals.set(way, await undisturbed(host, way));
  const options = { moment, witnesses };
  const killed =
    kill === "in a row"
      ? await inARow(host, goals, options)
      : await oneByOne(host, goals, { kill, ...options });
  await witnesses.areUp();
  // What Docker leaves of a power cut is taken away by another piece than the one that ran alone.
  await withoutRemains(host);
  if (await hasRemains(host)) expect(stopsOf(await runAll(host))).toEqual({});
  // A run that stops asks again each time.
  if (ways.every(({ stop }) => stop === undefined)) await expectIdlePass(host);
  return killed;
}

type Goals = ReadonlyMap<Way, Goal>;

/**
 * Kills the run of each turn, and then the one that goes on from there, until none comes to a call at
 * which none was killed yet. Only the last one comes to its end.
 */
async function inARow(
  host: Host,
  goals: Goals,
  { moment, witnesses }: { moment: Moment; witnesses: Witnesses },
): Promise<readonly string[]> {
  const all: string[] = [];
  const done = new Set<string>();
  for (const [way, goal] of goals) {
    const { piece, turn, stop, byItself = [] } = way;
    if (done.has(turn)) continue;
    done.add(turn);
    await way.begin(host);
    const killed: string[] = [];
    /** With their phases: one of a name may be made twice. */
    const known = new Set<string>();
    for (;;) {
      const { calls = [], phases = [] } = (await planOf(host, piece))[piece] ?? {};
      const keyOf = (at: number): string => `${phases[at]} ${calls[at]}`;
      const isDue = (name: string, at: number): boolean =>
        !name.endsWith(notYetKnown) &&
        !known.has(keyOf(at)) &&
        // Of a run that stops, plan says what would have come after.
        (stop === undefined || goal.calls.includes(name));
      const at = calls.findIndex(isDue);
      if (at === -1) break;
      const kill = killed.length % 10 === 2 ? "power" : "unit";
      const name = calls[at] ?? "";
      const what = `${turn}, ${moment} call ${killed.length + 1}, ${kill}: ${name}`;
      expect(await killAt(host, way, calls, { kill, moment, call: at + 1 }), what).toBe(true);
      expect(await witnesses.touched({ restarted: true }), `${what}: what is not ours`).toEqual([]);
      known.add(keyOf(at));
      killed.push(name);
    }
    await expectGoal(host, way, goal, turn);
    const plain = killed.map((call) => withoutRandom(way, call));
    const isKilled = (call: string): boolean =>
      call.endsWith(notYetKnown)
        ? plain.some((each) => each.startsWith(call.slice(0, -notYetKnown.length)))
        : plain.includes(withoutRandom(way, call));
    expect(goal.calls.filter((call) => !isKilled(call))).toEqual(byItself);
    all.push(...killed);
  }
  return all;
}

/**
 * Goes round and round, and kills each run at one of its calls: at the first one, then at the second
 * one, until one runs through without coming to the call that it was to be killed at. The run after each
 * kill comes to its end.
 */
async function oneByOne(
  host: Host,
  goals: Goals,
  { kill, moment, witnesses }: { kill: Kill; moment: Moment; witnesses: Witnesses },
): Promise<readonly string[]> {
  const ways = [...goals.keys()];
  /** The call that the next run of each turn is killed at. */
  const due = new Map(ways.map(({ turn }) => [turn, 1]));
  const killed: string[] = [];
  while (due.size > 0) {
    for (const way of ways) {
      if (due.size === 0) break;
      const { turn, restartsDocker = false } = way;
      const goal = goals.get(way) as Goal;
      const call = due.get(turn);
      const name = goal.calls[(call ?? 0) - 1] ?? "";
      const what = `${turn}, ${moment} call ${call}: ${name}`;
      await way.begin(host);
      if (call !== undefined) {
        const isKilled = await killAt(host, way, goal.calls, { kill, moment, call });
        if (isKilled) due.set(turn, call + 1);
        else due.delete(turn);
        if (isKilled) killed.push(name);
      }
      await expectGoal(host, way, goal, what);
      const touched = await witnesses.touched({ restarted: restartsDocker || kill === "power" });
      expect(touched, `${what}: what is not ours`).toEqual([]);
    }
  }
  return killed;
}

async function undisturbed(host: Host, way: Way): Promise<Goal> {
  await way.begin(host);
  const runs = await runAsPlanned(host, lineOf(way), aloneOf(way));
  await way.afterwards?.(host);
  const state = await stateAfter(host, way);
  expectEnd(runs, way, "undisturbed");
  return { calls: runs[way.piece]?.calls ?? [], state };
}

/** @param calls those of the run @returns whether it came to that one */
async function killAt(
  host: Host,
  way: Way,
  calls: readonly string[],
  { kill, moment, call }: { kill: Kill; moment: Moment; call: number },
): Promise<boolean> {
  const { piece, comesUp, takesOthersAlong = false } = way;
  const unit = `cc-ci-${piece}.service`;
  const since = Date.now();
  await host.faults.stopAt(unit, call, moment);
  await host.exec([
    ...(takesOthersAlong ? ["systemctl", "start"] : startAlone),
    "--no-block",
    unit,
  ]);
  const stopped = await host.faults.waitUntilStopped(unit);
  if (!stopped) expect(call, "the call that no run came to").toBe(calls.length + 1);
  else {
    const made = await callsUpTo(host, unit, since, call);
    const plain = (all: readonly string[]) => all.map((each) => withoutRandom(way, each));
    expect(plain(made)).toEqual(plain(calls.slice(0, call)));
    if (kill === "power") await host.powerCut();
    else await host.faults.killUnit(unit);
  }
  if (kill === "unit" || !stopped) await host.faults.stopNowhere();
  await host.settle();
  await withoutRemains(host);
  await comesUp?.(host);
  return stopped;
}

async function expectGoal(host: Host, way: Way, goal: Goal, at: string): Promise<void> {
  try {
    expectEnd(await runAsPlanned(host, lineOf(way), aloneOf(way)), way, at);
    await way.afterwards?.(host);
    expect(await stateAfter(host, way)).toEqual(goal.state);
  } catch (error) {
    throw new Error(`${at}\n${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}

async function stateAfter(host: Host, way: Way): Promise<FinalState> {
  const state = await finalState(host, aloneOf(way));
  return JSON.parse(withoutRandom(way, JSON.stringify(state))) as FinalState;
}

function withoutRandom({ random }: Way, text: string): string {
  return random === undefined ? text : text.replaceAll(random, "random");
}

/** The piece that runs alone after a kill; undefined where everything runs. */
function aloneOf({ piece, takesOthersAlong }: Way): string | undefined {
  return takesOthersAlong === true ? undefined : piece;
}

/** The id of the line that it stops with, if any. */
function lineOf({ stop }: Way): readonly string[] {
  return stop === undefined ? [] : stop.split(" ").slice(-1);
}

function expectEnd(runs: Runs, { piece, stop }: Omit<Way, "begin">, at: string): void {
  expect(stopsOf(runs), at).toEqual(stop === undefined ? {} : { [piece]: stop });
}

/**
 * Begins a way from where the unit of a piece has come to under another configuration.
 *
 * @returns the id of the line that it stopped with; undefined where it converged
 */
export async function fromRunOf(
  host: Host,
  piece: string,
  [before, after]: readonly [System, System],
): Promise<string | undefined> {
  await host.install(before);
  await host.start(`cc-ci-${piece}`);
  const line = (await statusOf(host))[piece]?.line?.id;
  await host.install(after);
  return line;
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
    expect(stopsOf(await runAsPlanned(this.#host)), "the next run").toEqual({});
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
  until docker network rm $network; do sleep 0.5; done
done`;
  await host.exec(["sh", "-c", script]);
  // A network is gone from the swarm before it is gone from the node.
  await quiet(host);
}
