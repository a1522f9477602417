// The program of ProcessSampler: looks until its input ends, which says what to look for as JSON. Then
// it prints where that was to be seen.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

/** A young process may still become another program, which its arguments show. */
const youngMilliseconds = 150;
/** An old one seldom does. */
const againMilliseconds = 500;
const pauseMilliseconds = 2;
/** Processes are listed as soon as there is a new one, and so often in any case. */
const listAgainMilliseconds = 20;

/** Else it would not get its turn just when much is going on. */
setPriority(-15);

interface Known {
  readonly since: number;
  lookedAt: number;
  /** Those that it had then. */
  argv: string | undefined;
}

let input: string | undefined;
void text(process.stdin).then((read) => {
  input = read;
});

const ownNamespace = readlinkSync("/proc/self/ns/pid");
/** Processes of hosts, and undefined for those of this machine. */
const known = new Map<string, Known | undefined>();
/** Each text once, with the program that had it. */
const seen = { argv: new Map<string, string>(), environment: new Map<string, string>() };
let processes = 0;
let rounds = 0;

/** The number that the kernel gave last; it lists the process that has it at once, or a moment later (proc_loadavg(5)). */
function lastNumber(): string | undefined {
  return readFileSync("/proc/loadavg", "utf8").trim().split(" ").at(-1);
}

/** At all of it, or at the rest only where the arguments are others than before: that takes a third of the time. */
function look(pid: string, one: Known, isWhole: boolean): void {
  const argv = readFileSync(`/proc/${pid}/cmdline`, "latin1");
  if (argv === one.argv && !isWhole) return;
  const program = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
  seen.argv.set(argv, program);
  seen.environment.set(environment, program);
  // It has none for a moment while it becomes another program: that one's is still to be read.
  one.argv = environment === "" ? undefined : argv;
}

function meet(pid: string, now: number): void {
  const isOfHost = readlinkSync(`/proc/${pid}/ns/pid`) !== ownNamespace;
  if (isOfHost) processes += 1;
  known.set(pid, isOfHost ? { since: now, lookedAt: 0, argv: undefined } : undefined);
}

/** Brings `known` to what there is. */
function list(now: number): void {
  const pids = new Set(readdirSync("/proc").filter((name) => /^\d/.test(name)));
  for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
  for (const pid of pids) {
    try {
      if (!known.has(pid)) meet(pid, now);
    } catch {
      // It has ended meanwhile.
    }
  }
}

let listed: { readonly last: string | undefined; readonly at: number } = { last: "", at: 0 };
while (input === undefined) {
  rounds += 1;
  const now = performance.now();
  const last = lastNumber();
  if (last !== listed.last || now - listed.at > listAgainMilliseconds) {
    list(now);
    listed = { last, at: now };
  }
  for (const [pid, one] of known) {
    try {
      if (one === undefined) continue;
      const isYoung = now - one.since < youngMilliseconds;
      if (!isYoung && now - one.lookedAt < againMilliseconds) continue;
      one.lookedAt = now;
      look(pid, one, !isYoung);
    } catch {
      // It has ended meanwhile.
    }
  }
  await sleep(pauseMilliseconds);
}

const marks = z.record(z.string(), z.array(z.string())).parse(JSON.parse(input));
const found = Object.entries(seen).flatMap(([where, texts]) =>
  [...texts].flatMap(([content, program]) =>
    Object.entries(marks)
      .filter(([, words]) => words.some((word) => content.includes(word)))
      .map(([secret]) => ({ where, secret, program })),
  ),
);
console.log(JSON.stringify({ rounds, processes, found }));
