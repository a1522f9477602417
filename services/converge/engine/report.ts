import { say } from "../../lib/say.ts";
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
