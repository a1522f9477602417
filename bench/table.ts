import type { Times } from "./measure.ts";

/** One figure of the bench. */
export interface Row {
  readonly name: string;
  /** Seconds of the runs; undefined where the figure is no time. */
  readonly times?: Times;
  /** What is compared with the limit, and how it is written. */
  readonly figure: number;
  readonly unit: "x" | "s" | "ms" | "MB" | "";
  /** Undefined where nothing was promised. */
  readonly limit?: number;
}

const heads = ["what", "min", "median", "max", "figure", "limit"];

/** The rows with a line of heads, columns aligned. */
export function printTable(rows: readonly Row[]): string {
  const seconds = (value?: number): string => (value === undefined ? "" : `${value.toFixed(3)} s`);
  const lines = [
    heads,
    ...rows.map(({ name, times, figure, unit, limit }) => [
      name,
      seconds(times?.min),
      seconds(times?.median),
      seconds(times?.max),
      written(figure, unit),
      limit === undefined ? "" : `${written(limit, unit)}${figure > limit ? " missed" : ""}`,
    ]),
  ];
  const widths = heads.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((cells) => `${cells.map(pad).join("  ").trimEnd()}\n`).join("");
}

function written(value: number, unit: Row["unit"]): string {
  const isWhole = unit === "ms" || unit === "MB" || unit === "";
  return `${value.toFixed(isWhole ? 0 : 2)} ${unit}`.trimEnd();
}
