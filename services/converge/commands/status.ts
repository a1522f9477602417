import { styleText } from "node:util";
import { Systemd, type UnitState } from "../adapters/systemd.ts";
import { type LastEnd, readLastEnd } from "../engine/last-end.ts";
import { defineLines } from "../engine/line.ts";
import { choosePieces, mustBeRoot } from "./pieces.ts";
import { realWorld } from "./world.ts";

export const statusLines = defineLines({
  "run-cut-short": {
    as: "failed",
    says: "the last run did not come to its end ({result}): 'journalctl -u {unit}' has what it did; the next run goes on from there",
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
  /** It never ran. */
  "never run",
  /** The list names it, and systemd does not know it. */
  "no unit",
] as const;

interface PieceStatus {
  readonly piece: string;
  readonly unit: string;
  readonly state: (typeof states)[number];
  /** When it came into that state, ISO 8601; null when it never ran. */
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
  const { host, pieces } = await choosePieces(files, name);
  const units = await new Systemd().units(pieces.map(({ unit }) => unit));
  const statuses: PieceStatus[] = [];
  for (const [index, piece] of pieces.entries()) {
    const { name, unit } = piece;
    statuses.push(statusOf(name, unit, units[index], await readLastEnd(files, name)));
  }
  console.log(
    json
      ? JSON.stringify({ version: 1, host, pieces: statuses }, null, 2)
      : show(statuses, new Date()),
  );
  return statuses.every(({ state }) => state === "converged") ? 0 : 1;
}

/** What systemd and the piece's own record come to together. */
export function statusOf(
  piece: string,
  unit: string,
  now: UnitState | undefined,
  last: LastEnd | undefined,
): PieceStatus {
  const base = { piece, unit, lastEnd: last?.at ?? null };
  const started = isoOf(now?.ExecMainStartTimestamp);
  const exited = isoOf(now?.ExecMainExitTimestamp);
  if (now === undefined || now.LoadState !== "loaded") {
    return { ...base, state: "no unit", since: null, line: null };
  }
  if (now.ActiveState === "activating" || now.ActiveState === "active") {
    return { ...base, state: "running", since: started, line: null };
  }
  // A run that was killed could write nothing down: systemd alone knows of it.
  const wasCut = !["success", "exit-code"].includes(now.Result);
  if (wasCut && (last === undefined || exited === null || last.at < exited)) {
    const { id, text } = statusLines.stop("run-cut-short", { result: now.Result, unit }).line;
    const line = { id, text };
    return { ...base, state: "interrupted", since: exited, line };
  }
  if (last === undefined) return { ...base, state: "never run", since: null, line: null };
  return { ...base, state: last.outcome, since: last.since, line: last.line };
}

/** `@1234567890` as systemctl prints it; null for none. */
function isoOf(timestamp: string | undefined): string | null {
  const seconds = /^@(\d+)$/.exec(timestamp ?? "")?.[1];
  return seconds === undefined || seconds === "0"
    ? null
    : new Date(Number(seconds) * 1000).toISOString();
}

const colours = { converged: "green", running: "blue", pending: "yellow" } as const;

function show(statuses: readonly PieceStatus[], now: Date): string {
  const rows = statuses.map(({ piece, state, since, lastEnd }) => [
    piece,
    state,
    since === null ? "-" : `${since.slice(0, 16).replace("T", " ")} (${ago(since, now)})`,
    lastEnd === null ? "-" : ago(lastEnd, now),
  ]);
  const head = ["PIECE", "STATE", "SINCE (UTC)", "LAST RUN"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    styleText("bold", line(head)),
    ...statuses.flatMap(({ state, line: said }, index) => [
      line(rows[index] ?? []).replace(state, styleText(colourOf(state), state)),
      ...(said === null ? [] : [`  [${said.id}] ${said.text}`]),
    ]),
  ].join("\n");
}

function colourOf(state: PieceStatus["state"]): "green" | "blue" | "yellow" | "red" {
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
