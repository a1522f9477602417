import { styleText } from "node:util";
import { isoOf, Systemd, type UnitState } from "../adapters/systemd.ts";
import { type LastEnd, readLastEnd } from "../engine/last-end.ts";
import { defineLines, type Line, type Stop } from "../engine/line.ts";
import { readRunBegun } from "../engine/run-begun.ts";
import { paragraph, terminalColumns } from "./paragraph.ts";
import { choosePieces, mustBeRoot } from "./pieces.ts";
import { downSince, requiredOthers } from "./required-units.ts";
import { realWorld } from "./world.ts";

export const statusLines = defineLines({
  "run-cut-short": {
    as: "failed",
    says: "the last run did not come to its end ({result}): 'journalctl -u {unit}' has what it did; the next run goes on from there",
  },
  "end-unknown": {
    as: "failed",
    says: "the last run failed and could not write down why, perhaps because the disk is full: 'journalctl -u {unit}' has its words",
  },
  "piece-blocked": {
    as: "failed",
    says: "{unit} is not started, since {needed}, which it needs, does not get through: see to that one first ('systemctl status {needed}'), and this one follows by itself; nothing of it was changed",
  },
});

const states = [
  "converged",
  "failed",
  "refused",
  "pending",
  /** It runs now. */
  "running",
  /** Its last run was killed, or ran out of time. */
  "interrupted",
  /** It was not started, because one that it needs did not get through. */
  "blocked",
  /** It never ran. */
  "never run",
  /** The list names it, and systemd does not know it. */
  "no unit",
] as const;

interface PieceStatus {
  readonly piece: string;
  readonly unit: string;
  readonly state: (typeof states)[number];
  /** When it came into that state, ISO 8601; null when it never ran, or nobody knows. */
  readonly since: string | null;
  /** When its last run ended. */
  readonly lastEnd: string | null;
  /** What a person should know; null when it converged. */
  readonly line: { readonly id: string; readonly text: string } | null;
}

/**
 * `converge status [piece] [--json]`: every piece, its state and since when.
 *
 * @returns 0 when all of them converged, else 1
 */
export async function statusCommand(name: string | undefined, json: boolean): Promise<number> {
  mustBeRoot();
  const { files } = realWorld();
  // All of them, because one piece's state may be another one's doing.
  const { host, all: pieces, chosen } = await choosePieces(files, name);
  const systemd = new Systemd();
  const units = await systemd.units(pieces.map(({ unit }) => unit));
  const required = units.map(({ Requires }) => Requires);
  const own: PieceStatus[] = [];
  for (const [index, { name, unit }] of pieces.entries()) {
    const record = { last: await readLastEnd(files, name), begun: await readRunBegun(files, name) };
    own.push(statusOf(name, unit, units[index], record));
  }
  const down = downSince(await requiredOthers(systemd, units));
  const statuses = withBlocked(own, required, down).filter(({ unit }) =>
    chosen.some((piece) => piece.unit === unit),
  );
  console.log(
    json
      ? JSON.stringify({ version: 1, host, pieces: statuses }, null, 2)
      : statusTable(statuses, new Date(), terminalColumns()),
  );
  return statuses.every(({ state }) => state === "converged") ? 0 : 1;
}

/** What the runs of a piece have written down. */
interface PieceRecord {
  /** Undefined before the first end. */
  readonly last: LastEnd | undefined;
  /** When the run began that did not come to its end; undefined when there is none. */
  readonly begun: string | undefined;
}

/** What systemd and the piece's own record come to together. */
export function statusOf(
  piece: string,
  unit: string,
  now: UnitState | undefined,
  { last, begun }: PieceRecord,
): PieceStatus {
  const base = { piece, unit, lastEnd: last?.at ?? null };
  const started = isoOf(now?.ExecMainStartTimestamp ?? "");
  const exited = isoOf(now?.ExecMainExitTimestamp ?? "");
  if (now === undefined || now.LoadState !== "loaded") {
    return { ...base, state: "no unit", since: null, line: null };
  }
  if (now.ActiveState === "activating" || now.ActiveState === "active") {
    return { ...base, state: "running", since: started, line: null };
  }
  const told = (state: PieceStatus["state"], since: string | null, { line }: Stop) => {
    return { ...base, state, since, line: { id: line.id, text: line.text } };
  };
  /** Whether the last run wrote its end down, as far as anybody knows when that began. */
  const isWritten = last !== undefined && last.at >= later(started, begun);
  // A run that was killed could write nothing down: systemd alone knows of it.
  const wasCut = !["success", "exit-code"].includes(now.Result);
  if (wasCut && (!isWritten || exited === null || last.at < exited)) {
    const line = statusLines.stop("run-cut-short", { result: now.Result, unit });
    return told("interrupted", exited, line);
  }
  if (now.Result === "exit-code" && !isWritten) {
    return told("failed", exited, statusLines.stop("end-unknown", { unit }));
  }
  if (begun !== undefined && !isWritten) {
    // The machine goes down under a run, and systemd forgets that there was one. Its times are whole seconds.
    const isForgotten = exited === null || exited.slice(0, 19) < begun.slice(0, 19);
    const result = isForgotten ? "shutdown" : "unwritten";
    return told("interrupted", begun, statusLines.stop("run-cut-short", { result, unit }));
  }
  if (last === undefined) return { ...base, state: "never run", since: null, line: null };
  return { ...base, state: last.outcome, since: last.since, line: last.line };
}

/** Of two moments in ISO 8601, which sort as text. */
function later(one: string | null | undefined, other: string | null | undefined): string {
  return [one ?? "", other ?? ""].toSorted().at(-1) ?? "";
}

/**
 * The same, with those told apart that systemd did not start: nobody could write that down, and what
 * their last run came to is no longer the news.
 *
 * @param statuses in the order of the pieces, in which what is needed comes first
 * @param required the units that each of them needs
 * @param down units that are no pieces and not up, each with since when; null blocks whatever ended before
 */
export function withBlocked(
  statuses: readonly PieceStatus[],
  required: readonly (readonly string[])[],
  down: ReadonlyMap<string, string | null> = new Map(),
): readonly PieceStatus[] {
  /** When a unit last did not get through; null when that is not known, and goes on. */
  const stopped = new Map(down);
  const stopsAfter = (unit: string, end: string): boolean => {
    const at = stopped.get(unit);
    return at === null || (at ?? "") > end;
  };
  return statuses.map((status, index) => {
    const { unit, state, lastEnd, since } = status;
    const needed = required[index]?.find((each) => stopsAfter(each, lastEnd ?? ""));
    if (needed !== undefined && state !== "running") {
      const at = stopped.get(needed) ?? null;
      stopped.set(unit, at);
      return { ...status, state: "blocked", since: at, line: blockedLine(unit, needed) };
    }
    // A run that wrote nothing down has been in its state since it ended.
    const at = later(since, lastEnd);
    if (["failed", "refused", "interrupted"].includes(state)) stopped.set(unit, at);
    return status;
  });
}

/** The line of a unit that is not started. */
export const blockedId = "piece-blocked";

/** Why a unit is not started. */
export function blockedLine(unit: string, needed: string): Line {
  return statusLines.stop(blockedId, { unit, needed }).line;
}

const colours = { converged: "green", running: "blue", pending: "yellow" } as const;

/** The table, with what a person should know below each row. */
export function statusTable(
  statuses: readonly PieceStatus[],
  now: Date,
  columns: number | undefined,
): string {
  const wide = tableOf(statuses, now, false);
  const isTooWide = columns !== undefined && widthOf(wide) > columns;
  const [head = [], ...rows] = isTooWide ? tableOf(statuses, now, true) : wide;
  const widths = columnWidths([head, ...rows]);
  const line = (cells: readonly string[], colour: Colour): string => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    padded[padded.length - 1] = cells.at(-1) ?? "";
    const [piece = "", state = "", ...times] = padded;
    return colour === "bold"
      ? styleText("bold", padded.join("  "))
      : [
          piece,
          styleText(colour, state.trimEnd()) + state.slice(state.trimEnd().length),
          ...times,
        ].join("  ");
  };
  return [
    line(head, "bold"),
    ...statuses.flatMap(({ state, line: said }, index) => [
      line(rows[index] ?? [], colourOf(state)),
      ...(said === null
        ? []
        : [paragraph(`[${said.id}] ${said.text}`, { indent: 2, hang: 4, columns })]),
    ]),
  ].join("\n");
}

type Cells = readonly string[];

/** Head and rows; a narrow one says how long ago things were, and no dates. */
function tableOf(statuses: readonly PieceStatus[], now: Date, isNarrow: boolean): readonly Cells[] {
  const sinceOf = (since: string): string =>
    isNarrow ? ago(since, now) : `${since.slice(0, 16).replace("T", " ")} (${ago(since, now)})`;
  return [
    ["PIECE", "STATE", isNarrow ? "SINCE" : "SINCE (UTC)", "LAST RUN"],
    ...statuses.map(({ piece, state, since, lastEnd }) => [
      ...[piece, state, since === null ? "-" : sinceOf(since)],
      lastEnd === null ? "-" : ago(lastEnd, now),
    ]),
  ];
}

function columnWidths(table: readonly Cells[]): readonly number[] {
  const [head = []] = table;
  return head.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
}

function widthOf(table: readonly Cells[]): number {
  const widths = columnWidths(table);
  return widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
}

type Colour = "green" | "blue" | "yellow" | "red" | "bold";

function colourOf(state: PieceStatus["state"]): Colour {
  return state in colours ? colours[state as keyof typeof colours] : "red";
}

function ago(iso: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - new Date(iso).getTime()) / 60_000));
  if (minutes < 1) return "now";
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 2880
    ? `${Math.floor(minutes / 60)} h ago`
    : `${Math.floor(minutes / 1440)} d ago`;
}
