import { describe, expect, test } from "vitest";
import { JournalFailure } from "../../../services/converge/adapters/journal.ts";
import { unlessUnread } from "../../../services/converge/commands/run.ts";
import type { Line } from "../../../services/converge/engine/line.ts";

/** What is warned of while somebody looks. */
async function warningsOf(look: () => Promise<void>): Promise<readonly Line[]> {
  const warnings: Line[] = [];
  const warning = (line: Line) => {
    warnings.push(line);
  };
  await unlessUnread({ call: () => undefined, waiting: () => undefined, warning }, look);
  return warnings;
}

describe("a look at what the pieces say", () => {
  test("goes by with a warning when the journal cannot be read", async () => {
    const slow = new JournalFailure("journalctl did not end within 30 s: it said nothing");
    const [warning, ...others] = await warningsOf(() => Promise.reject(slow));
    expect(others).toEqual([]);
    expect([warning?.as, warning?.id]).toEqual(["warning", "journal-unread"]);
    expect(warning?.text).toContain(`(${slow.message})`);
  });

  test("is nothing to warn of when there was an answer", async () => {
    expect(await warningsOf(() => Promise.resolve())).toEqual([]);
  });

  test("ends the command at whatever else it meets", async () => {
    const defect = new TypeError("no function");
    await expect(warningsOf(() => Promise.reject(defect))).rejects.toBe(defect);
  });
});
