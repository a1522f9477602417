import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import * as z from "zod";
import { notYetKnown, verbs } from "../../../services/converge/engine/call.ts";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";

const planSchema = z.object({
  pieces: z.array(
    z.object({
      piece: z.string(),
      calls: z.array(
        z.object({ phase: z.string(), verb: z.string(), target: z.string(), why: z.string() }),
      ),
      stop: z.object({ id: z.string(), as: z.string(), text: z.string() }).nullable(),
    }),
  ),
});

const statusSchema = z.object({
  pieces: z.array(
    z.object({
      piece: z.string(),
      state: z.string(),
      since: z.string().nullable(),
      line: z.object({ id: z.string(), text: z.string() }).nullable(),
    }),
  ),
});

/** What one piece came to: its calls as `verb target`, and the id of the line that it stopped with. */
interface PieceRun {
  readonly calls: readonly string[];
  readonly state: string;
  readonly line: { readonly id: string; readonly text: string } | null;
}

/** By piece. */
export type Runs = Readonly<Record<string, PieceRun>>;

/** What `converge plan` says, by piece: of one of them, or of all. */
export async function planOf(host: Host, piece?: string) {
  const { stdout } = await host.converge("plan", ...(piece === undefined ? [] : [piece]), "--json");
  const { pieces } = planSchema.parse(JSON.parse(stdout));
  return Object.fromEntries(
    pieces.map(({ piece, calls, stop }) => [
      piece,
      {
        calls: calls.map(({ verb, target }) => `${verb} ${target}`),
        phases: calls.map(({ phase }) => phase),
        whys: calls.map(({ why }) => why),
        stop,
      },
    ]),
  );
}

/** What `converge status` says, by piece. */
export async function statusOf(host: Host) {
  const { stdout } = await host.converge("status", "--json");
  const { pieces } = statusSchema.parse(JSON.parse(stdout));
  return Object.fromEntries(pieces.map((piece) => [piece.piece, piece]));
}

/**
 * Has systemd start one piece without those that it needs, which are known to have nothing to do: they
 * would run all the same, each time.
 */
export const startAlone = ["systemctl", "start", "--job-mode=ignore-requirements"];

/** All pieces once more, as the timer would; or one alone. */
export async function runAll(host: Host, piece?: string): Promise<Runs> {
  const command =
    piece === undefined
      ? ["systemctl", "start", "cc-ci-reconcile.service"]
      : [...startAlone, `cc-ci-${piece}.service`];
  return await observed(host, async () => {
    await host.exec(command, { mayFail: true, timeoutSeconds: 600 });
  });
}

/** What the pieces did while something made them run. */
export async function observed(host: Host, act: () => Promise<void>): Promise<Runs> {
  const since = Date.now();
  await act();
  await host.settle();
  const status = await statusOf(host);
  const unitOf = (piece: string): string => `cc-ci-${piece}.service`;
  const journals = await host.journals(Object.keys(status).map(unitOf), since);
  return Object.fromEntries(
    Object.entries(status).map(([piece, { state, line }]) => {
      return [piece, { calls: callsIn(journals[unitOf(piece)] ?? ""), state, line }];
    }),
  );
}

/**
 * The calls that a unit has logged which stands still at one: the journal has them a moment later.
 *
 * @param count how many there should be
 */
export async function callsUpTo(
  host: Host,
  unit: string,
  since: number,
  count: number,
): Promise<readonly string[]> {
  let calls: readonly string[] = [];
  await until(`call ${count} in the journal of ${unit}`, 10, async () => {
    calls = callsIn(await host.journal(unit, since));
    return calls.length >= count ? true : undefined;
  });
  return calls;
}

/** The calls that a unit logged, as `verb target`. */
export function callsIn(journal: string): readonly string[] {
  const known = new RegExp(`^((?:${Object.keys(verbs).join("|")}) \\S+): `);
  return journal.split("\n").flatMap((line) => known.exec(line)?.[1] ?? []);
}

/**
 * Runs all pieces and shows that `plan` had said what they then did: the very calls in the very
 * order, and the line of each that stopped; and that it had changed nothing by saying so.
 *
 * @param unforeseen ids of lines that only a run can find out: what a call comes to, and what is waited
 *   for after it. A run that ends with one may have stopped anywhere in what was planned
 * @param piece runs that one alone, where the others are known to have nothing to do
 */
export async function runAsPlanned(
  host: Host,
  unforeseen: readonly string[] = [],
  piece?: string,
): Promise<Runs> {
  const moving = await servicesInUpdate(host);
  const before = await everything(host, moving);
  const since = Date.now();
  const planned = await planOf(host, piece);
  expect(await everything(host, moving), "plan changes nothing").toEqual(before);
  const ofImages = (await host.docker.events(since)).filter((event) => event.startsWith("image "));
  expect(ofImages, "plan gets no image").toEqual([]);
  const runs = await runAll(host, piece);
  for (const [piece, { calls, whys, stop }] of Object.entries(planned)) {
    const run = runs[piece];
    mustStart(piece, calls, whys, run);
    if (stop !== null) {
      expect({ piece, calls: run?.calls, line: run?.line?.id }).toEqual({
        ...{ piece, calls: [], line: stop.id },
      });
    } else expectForetold(piece, calls, run);
    const line = run?.line?.id;
    const isForetold = line === undefined || stop?.id === line || unforeseen.includes(line);
    expect(isForetold, `plan said nothing of ${piece}'s end: ${run?.line?.text}`).toBe(true);
  }
  return runs;
}

/**
 * A call that fails is logged all the same: a run that stops before its first one was refused, which a plan
 * must tell.
 */
function mustStart(
  piece: string,
  planned: readonly string[],
  whys: readonly string[],
  run: PieceRun | undefined,
): void {
  if (run === undefined || planned.length === 0 || run.calls.length > 0) return;
  const end = run.line === null ? run.state : `${run.line.id}: ${run.line.text}`;
  const said = planned.map((call, at) => `${call}: ${whys[at]}`).join("\n");
  throw new Error(`${piece} made no call (${end}), and plan had said:\n${said}`);
}

function expectForetold(piece: string, planned: readonly string[], run: PieceRun | undefined) {
  if (run === undefined) throw new Error(`nothing is known of the run of ${piece}`);
  const performed = [...run.calls];
  const isCutShort = run.line !== null;
  const left = [...performed];
  for (const call of planned) {
    const next = left[0];
    if (next === undefined && isCutShort) return;
    if (!call.endsWith(notYetKnown)) {
      expect({ piece, call: next, performed }).toEqual({ piece, call, performed });
      left.shift();
      continue;
    }
    // None, one or several, their names being known only by then.
    const start = call.slice(0, -notYetKnown.length);
    while (left[0]?.startsWith(start)) left.shift();
  }
  expect({ piece, unforetold: left }).toEqual({ piece, unforetold: [] });
}

/**
 * All that a plan must not touch: Docker's objects and every file of ours.
 *
 * @param moving services by whose specs they are known, for the swarm itself goes on changing the rest
 */
export async function everything(host: Host, moving: readonly string[] = []): Promise<unknown> {
  const docker = { ...(await host.docker.versions()) };
  for (const name of moving) {
    const { Spec } = serviceSchema.parse(await host.docker.get(`/services/${name}`));
    docker[`services ${name}`] = JSON.stringify(Spec);
  }
  // From outside, and without a program: this is looked at more often than anything else.
  const files = ["/var/lib/cc-ci", "/var/lib/ci-certs"].flatMap((path) =>
    filesBelow(host.machine.inside(path)),
  );
  return { docker, files };
}

/** A path and all below it, each with what shows that it was written to. */
function filesBelow(path: string): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const line = `${path} ${stat.mode.toString(8)} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  if (!stat.isDirectory()) return [line];
  return [line, ...namesIn(path).flatMap((name) => filesBelow(join(path, name)))];
}

/** Sorted; none in a folder that has gone meanwhile. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const serviceSchema = z.object({
  Spec: z.looseObject({ Name: z.string() }),
  UpdateStatus: z.object({ State: z.string() }).optional(),
});

/** Names of services that the swarm is at work on: a run was killed after it had told it to. */
async function servicesInUpdate(host: Host): Promise<readonly string[]> {
  if (!(await host.docker.isManager())) return [];
  return z
    .array(serviceSchema)
    .parse(await host.docker.get("/services"))
    .filter(({ UpdateStatus }) => /^(?:updating|rollback_started)$/.test(UpdateStatus?.State ?? ""))
    .map(({ Spec }) => Spec.Name);
}
