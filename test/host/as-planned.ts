import { expect } from "vitest";
import { z } from "zod";
import { notYetKnown, verbs } from "../../services/converge/engine/call.ts";
import type { Host } from "./host.ts";

const planSchema = z.object({
  pieces: z.array(
    z.object({
      piece: z.string(),
      calls: z.array(z.object({ verb: z.string(), target: z.string() })),
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

/** What `converge plan` says, by piece. */
export async function planOf(host: Host) {
  const { stdout } = await host.converge("plan", "--json");
  const { pieces } = planSchema.parse(JSON.parse(stdout));
  return Object.fromEntries(
    pieces.map(({ piece, calls, stop }) => [
      piece,
      { calls: calls.map(({ verb, target }) => `${verb} ${target}`), stop },
    ]),
  );
}

/** What `converge status` says, by piece. */
export async function statusOf(host: Host) {
  const { stdout } = await host.converge("status", "--json");
  const { pieces } = statusSchema.parse(JSON.parse(stdout));
  return Object.fromEntries(pieces.map((piece) => [piece.piece, piece]));
}

/** All pieces once more, as the timer would. */
export async function runAll(host: Host): Promise<Runs> {
  return await observed(host, async () => {
    await host.exec(["systemctl", "start", "cc-ci-reconcile.service"], {
      mayFail: true,
      timeoutSeconds: 600,
    });
  });
}

/** What the pieces did while something made them run. */
export async function observed(host: Host, act: () => Promise<void>): Promise<Runs> {
  const since = Date.now();
  await act();
  await host.settle();
  const status = await statusOf(host);
  const runs: Record<string, PieceRun> = {};
  for (const [piece, { state, line }] of Object.entries(status)) {
    const calls = callsIn(await host.journal(`cc-ci-${piece}.service`, since));
    runs[piece] = { calls, state, line };
  }
  return runs;
}

/** The calls that a unit logged, as `verb target`. */
export function callsIn(journal: string): readonly string[] {
  const known = new RegExp(`^((?:${Object.keys(verbs).join("|")}) \\S+): `);
  return journal.split("\n").flatMap((line) => known.exec(line)?.[1] ?? []);
}

/**
 * Runs all pieces and shows that `plan` had said what they then did: the very calls in the very
 * order, or up to where a run stopped; and that it had changed nothing by saying so.
 */
export async function runAsPlanned(host: Host): Promise<Runs> {
  const moving = await servicesInUpdate(host);
  const before = await everything(host, moving);
  const planned = await planOf(host);
  expect(await everything(host, moving), "plan changes nothing").toEqual(before);
  const runs = await runAll(host);
  for (const [piece, { calls, stop }] of Object.entries(planned)) {
    const run = runs[piece];
    if (stop !== null) {
      expect({ piece, calls: run?.calls, line: run?.line?.id }).toEqual({
        ...{ piece, calls: [], line: stop.id },
      });
    } else expectForetold(piece, calls, run);
  }
  return runs;
}

function expectForetold(piece: string, planned: readonly string[], run: PieceRun | undefined) {
  if (run === undefined) throw new Error(`nothing is known of the run of ${piece}`);
  const performed = [...run.calls];
  const isCutShort = run.line !== null;
  // A call that fails is logged all the same: a run that stops before its first one was refused, which
  // a plan must tell.
  if (planned.length > 0) {
    expect({ piece, performed, line: run.line }).not.toEqual({
      piece,
      performed: [],
      line: run.line,
    });
  }
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
  const files = await host.exec([
    ...["sh", "-c"],
    "find /var/lib/cc-ci /var/lib/ci-certs -printf '%p %y %s %m %T@\\n' 2>/dev/null | sort",
  ]);
  const docker = { ...(await host.docker.versions()) };
  for (const name of moving) {
    const { Spec } = serviceSchema.parse(await host.docker.get(`/services/${name}`));
    docker[`services ${name}`] = JSON.stringify(Spec);
  }
  return { docker, files: files.stdout };
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
