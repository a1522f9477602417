import { describe, expect, test } from "vitest";
import { Journal, JournalFailure } from "../../../../services/converge/adapters/journal.ts";
import type { Ending } from "../../../../services/converge/adapters/program.ts";

const well: Ending = { status: 0, signal: null, stdout: "", stderr: "", timedOut: false };
const unit = "cc-ci-traefik.service";

const entry = (cursor: string, message: unknown) =>
  `${JSON.stringify({ __CURSOR: cursor, _SYSTEMD_UNIT: unit, MESSAGE: message })}\n`;

/** Each call of journalctl ends as the next of these, and well when there are no more. */
function journalOf(...endings: readonly Partial<Ending>[]) {
  const asked: (readonly string[])[] = [];
  const left = [...endings];
  const journal = new Journal([unit], new Date("2026-01-01T00:00:00.500Z"), async ({ args }) => {
    asked.push(args);
    return { ...well, ...left.shift() };
  });
  return { journal, asked };
}

describe("the journal of some units", () => {
  test("is asked from a moment on, and then from what came last", async () => {
    const { journal, asked } = journalOf({ stdout: entry("a", "one") + entry("b", [195, 164]) });
    expect(await journal.next()).toEqual([
      { unit, message: "one" },
      { unit, message: "ä" },
    ]);
    expect(await journal.next()).toEqual([]);
    expect(asked[0]).toContain("--since=@1767225600.500");
    expect(asked[1]).toContain("--after-cursor=b");
    expect(asked[1]).toContain(`_SYSTEMD_UNIT=${unit}`);
  });

  test.each([
    [
      "is too slow",
      { status: null, signal: "SIGTERM", timedOut: true },
      "journalctl did not end within 30 s: it said nothing",
    ],
    [
      "cannot be read",
      { status: 1, stderr: "No journal files were opened\n" },
      "journalctl ended with 1: No journal files were opened",
    ],
  ] as const)("that %s is told so", async (_, ending, message) => {
    const { journal } = journalOf(ending, ending);
    await expect(journal.next()).rejects.toEqual(new JournalFailure(message));
    await expect(journal.sync()).rejects.toBeInstanceOf(JournalFailure);
  });

  test("loses nothing by a look that failed", async () => {
    const { journal, asked } = journalOf({ stdout: entry("a", "one") }, { status: 1 });
    await journal.next();
    await expect(journal.next()).rejects.toBeInstanceOf(JournalFailure);
    await journal.next();
    expect(asked[2]).toEqual(asked[1]);
  });
});
