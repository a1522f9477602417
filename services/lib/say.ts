/** Priorities that journald reads off the front of a line, see sd-daemon(3). */
const priority = { error: "<3>", warning: "<4>", notice: "<5>", info: "<6>" } as const;

/** Writes one line to stderr, with its priority when the journal reads it. */
export function say(text: string, as: keyof typeof priority = "info"): void {
  const prefix = process.env.JOURNAL_STREAM === undefined ? "" : priority[as];
  const lines = text.split("\n").map((line) => `${prefix}${line}\n`);
  process.stderr.write(lines.join(""));
}
