import type { Call } from "./call.ts";
import type { Line } from "./line.ts";

/** What a run says while it goes on: to the journal, where `converge run` reads it, or to a test. */
export interface Report {
  /** Before a mutating call. */
  call(call: Pick<Call, "verb" | "target" | "why">): void;
  /** What is being waited for; said again only when it changes. */
  waiting(what: string): void;
  /** Each warning once in a run. */
  warning(line: Line): void;
}

/** Priorities that journald reads off the front of a line, see sd-daemon(3). */
const priority = { error: "<3>", warning: "<4>", notice: "<5>", info: "<6>" } as const;

export type Priority = keyof typeof priority;

/** Writes one line to stderr, with its priority when the journal reads it. */
export function say(text: string, as: Priority = "info"): void {
  const prefix = process.env.JOURNAL_STREAM === undefined ? "" : priority[as];
  const lines = text.split("\n").map((line) => `${prefix}${line}\n`);
  process.stderr.write(lines.join(""));
}

export function consoleReport(): Report {
  let waitedFor = "";
  const warned = new Set<string>();
  return {
    call({ verb, target, why }) {
      waitedFor = "";
      say(`${verb} ${target}: ${why}`, "notice");
    },
    waiting(what) {
      if (what !== waitedFor) say(`waits: ${what}`);
      waitedFor = what;
    },
    warning({ id, text }) {
      if (!warned.has(text)) say(`warning [${id}]: ${text}`, "warning");
      warned.add(text);
    },
  };
}
