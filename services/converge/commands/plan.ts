import { styleText } from "node:util";
import { Systemd, type UnitState } from "../adapters/systemd.ts";
import type { Piece } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import { readDesired } from "../engine/installed.ts";
import { JudgedFiles } from "../engine/judged-files.ts";
import { exitStatus, type Line, type Outcome } from "../engine/line.ts";
import { plan } from "../engine/run.ts";
import { Sights } from "../engine/sights.ts";
import { Slots } from "../engine/slots.ts";
import { asStop } from "../engine/surprise.ts";
import type { World } from "../engine/world.ts";
import { stepsOf } from "../kinds/index.ts";
import { paragraph, terminalColumns } from "./paragraph.ts";
import { choosePieces, filled, mustBeRoot } from "./pieces.ts";
import { doesNotGetThrough, requiredOthers } from "./required-units.ts";
import { blockedId, blockedLine } from "./status.ts";
import { realWorld } from "./world.ts";

/** What apply would do to one piece. */
interface PiecePlan {
  readonly piece: string;
  readonly calls: readonly Pick<Call, "phase" | "verb" | "target" | "why">[];
  readonly warnings: readonly Line[];
  /** The line that apply would stop with before it changed anything; null when it would not. */
  readonly stop: Line | null;
}

/**
 * `converge plan [piece] [--json]`: what each apply would do now, in their order. Nothing changes.
 *
 * @returns 0, or the status of the first piece that would stop
 */
export async function planCommand(name: string | undefined, json: boolean): Promise<number> {
  mustBeRoot();
  const world = realWorld();
  const { host, all, chosen } = await choosePieces(world.files, name);
  const systemd = new Systemd();
  const units = await systemd.units(all.map(({ unit }) => unit));
  // One that was only stopped is started for the next run: whether it answers is for each piece to ask.
  const hopeless = (await requiredOthers(systemd, units)).filter(doesNotGetThrough);
  const wanted = withRequired(chosen, all, units);
  const foreseen = new Set<string>();
  /** Units that do not get through: systemd starts none that requires one of them. */
  const stopped = new Set(hopeless.map(({ Id }) => Id));
  const plans: PiecePlan[] = [];
  for (const [index, piece] of all.entries()) {
    if (!wanted.has(piece.unit)) continue;
    const needed = units[index]?.Requires.find((unit) => stopped.has(unit));
    const planned =
      needed === undefined
        ? await planPiece(piece, world, foreseen)
        : { ...nothing(piece), stop: blockedLine(piece.unit, needed) };
    plans.push(planned);
    // A pending one ends well.
    if (planned.stop !== null && planned.stop.as !== "pending") stopped.add(piece.unit);
    for (const { verb, target } of planned.calls) foreseen.add(`${verb} ${target}`);
  }
  const shown = plans.filter(({ piece }) => chosen.some((each) => each.name === piece));
  console.log(
    json
      ? JSON.stringify({ version: 1, host, pieces: shown }, null, 2)
      : planText(shown, { ofAll: name === undefined, columns: terminalColumns() }),
  );
  const stop = shown.find((each) => each.stop !== null)?.stop;
  return stop ? exitStatus[stop.as as Outcome] : 0;
}

/** The units of some pieces and of those that they need, which run before them and may stop them. */
function withRequired(
  chosen: readonly Piece[],
  all: readonly Piece[],
  units: readonly UnitState[],
): ReadonlySet<string> {
  const wanted = new Set(chosen.map(({ unit }) => unit));
  // What a piece needs stands before it.
  for (const [index, { unit }] of [...all.entries()].toReversed()) {
    if (wanted.has(unit)) for (const needed of units[index]?.Requires ?? []) wanted.add(needed);
  }
  return wanted;
}

function nothing({ name }: Piece): PiecePlan {
  return { piece: name, calls: [], warnings: [], stop: null };
}

async function planPiece(
  piece: Piece,
  world: World,
  foreseen: ReadonlySet<string>,
): Promise<PiecePlan> {
  const warnings: Line[] = [];
  const report = {
    call: () => undefined,
    waiting: () => undefined,
    warning: (line: Line) => {
      if (!warnings.some(({ text }) => text === line.text)) warnings.push(line);
    },
  };
  try {
    const state = await readDesired(world.files, filled(piece.file));
    const given = Object.entries(piece.slots).map(([slot, value]) => [slot, filled(value)]);
    const slots = new Slots(Object.fromEntries(given));
    const { host, resources } = state;
    const context = { host, piece: piece.name, resources, slots, world, report };
    const [judged, sights] = [new JudgedFiles(), new Sights()];
    const whole = { ...context, judged, sights, mayWait: false, foreseen };
    const calls = await plan(state, whole, stepsOf);
    const shown = calls.map(({ phase, verb, target, why }) => ({ phase, verb, target, why }));
    return { piece: piece.name, calls: shown, warnings, stop: null };
  } catch (error) {
    return { piece: piece.name, calls: [], warnings, stop: asStop(error).line };
  }
}

/**
 * Each piece with what would be done, and why.
 *
 * @param options.ofAll whether these are all pieces of the host
 */
export function planText(
  plans: readonly PiecePlan[],
  { ofAll, columns }: { readonly ofAll: boolean; readonly columns: number | undefined },
): string {
  /** No line breaks within the head, which alone has a colour. */
  const say = (head: string, colour: "bold" | "yellow", text: string, indent = 2): string => {
    const said = paragraph(head + text, { indent, hang: indent + 2, columns });
    const end = indent + head.length;
    return said.slice(0, indent) + styleText(colour, said.slice(indent, end)) + said.slice(end);
  };
  const lines = plans.flatMap(({ piece, calls, warnings, stop }) => [
    stop === null
      ? say(piece, "bold", `: ${amount(calls.length)}`, 0)
      : say(piece, "bold", `: ${stateOf(stop)} [${stop.id}]: ${stop.text}`, 0).replace(
          `${stateOf(stop)} [`,
          `${styleText("red", stateOf(stop))} [`,
        ),
    ...calls.map(({ verb, target, why }) => {
      const what = target === notYetKnown ? "(what it takes is not known yet)" : target;
      return say(verb, "yellow", ` ${what}: ${why}`);
    }),
    ...warnings.map(({ id, text }) => say("warning", "yellow", ` [${id}]: ${text}`)),
  ]);
  const isConverged =
    ofAll && plans.every(({ calls, stop }) => calls.length === 0 && stop === null);
  return [...lines, ...(isConverged ? ["This host is as it should be."] : [])].join("\n");
}

/** The word that status has for it. */
function stateOf({ id, as }: Line): string {
  return id === blockedId ? "blocked" : as;
}

function amount(calls: number): string {
  if (calls === 0) return "nothing to do";
  return calls === 1 ? "1 call" : `${calls} calls`;
}
