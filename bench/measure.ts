import { spawnSync } from "node:child_process";

/** One side of a comparison: a command, and what must be done before each run of it, unmeasured. */
export interface Side {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly prepare?: () => void;
}

/** How long the runs of one side took, in seconds. */
export interface Times {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** How often each side runs: odd, so that the median is one of them. */
export const runs = 7;

/**
 * Times whole processes, from their start to their end. The sides take turns, so that whatever else
 * the machine does is the same for all; one run of each goes before and counts for nothing, since it
 * is the one that reads the files from the disk.
 */
export function measure<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
): Readonly<Record<Name, Times>> {
  const entries = Object.entries(sides) as [Name, Side][];
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (const [, side] of entries) time(side);
  for (let run = 0; run < runs; run += 1) {
    for (const [name, side] of entries) times.get(name)?.push(time(side));
  }
  const summaries = entries.map(([name]) => [name, summary(times.get(name) ?? [])] as const);
  return Object.fromEntries(summaries) as Record<Name, Times>;
}

function time({ command, env = {}, prepare }: Side): number {
  prepare?.();
  const [program = "", ...args] = command;
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}: ${stderr}`);
  return seconds;
}

/** Of an odd number of runs. */
export function summary(times: readonly number[]): Times {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { min: at(0), median: at((sorted.length - 1) / 2), max: at(sorted.length - 1) };
}
