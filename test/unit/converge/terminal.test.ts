import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { paragraph } from "../../../services/converge/commands/paragraph.ts";
import { planText } from "../../../services/converge/commands/plan.ts";
import { statusTable } from "../../../services/converge/commands/status.ts";

const now = new Date("2026-01-01T12:00:00Z");
const line = { id: "host-file-missing", text: "/var/lib/key is not there, and must hold the key" };
type Row = Parameters<typeof statusTable>[0][number];

const converged: Row = {
  piece: "swarm",
  unit: "cc-ci-swarm.service",
  state: "converged",
  since: "2026-01-01T10:30:00.000Z",
  lastEnd: "2026-01-01T11:57:00.000Z",
  line: null,
};
const failed: Row = { ...converged, piece: "app-failed", state: "failed", line };
const fresh: Row = { ...converged, piece: "new", state: "never run", since: null, lastEnd: null };

function table(columns: number | undefined): string {
  return stripVTControlCharacters(statusTable([converged, failed, fresh], now, columns));
}

describe("what converge prints", () => {
  test("is a table with whole lines where there is no terminal", () => {
    expect(table(undefined)).toBe(`PIECE       STATE      SINCE (UTC)                    LAST RUN
swarm       converged  2026-01-01 10:30 (90 min ago)  3 min ago
app-failed  failed     2026-01-01 10:30 (90 min ago)  3 min ago
  [host-file-missing] /var/lib/key is not there, and must hold the key
new         never run  -                              -`);
  });

  test("fits a narrow terminal", () => {
    expect(table(50)).toBe(`PIECE       STATE      SINCE       LAST RUN
swarm       converged  90 min ago  3 min ago
app-failed  failed     90 min ago  3 min ago
  [host-file-missing] /var/lib/key is not there,
    and must hold the key
new         never run  -           -`);
  });

  test("has the state in colour, and never a part of the piece's name", () => {
    const row = statusTable([failed], now, undefined).split("\n")[1];
    expect(stripVTControlCharacters(row ?? "")).toMatch(/^app-failed {2}failed {2}/);
    expect(row).toMatch(/^app-failed {2}/);
  });

  test("is a plan whose lines hang below what they belong to", () => {
    const call = {
      phase: "apply",
      verb: "app deploy",
      target: "web",
      why: "it is not there",
    } as const;
    const plans = [
      { piece: "web", calls: [call], warnings: [], stop: null },
      { piece: "wiki", calls: [], warnings: [], stop: { ...line, as: "failed" } },
    ] as const;
    expect(
      stripVTControlCharacters(planText(plans, { ofAll: true, columns: 40 })),
    ).toBe(`web: 1 call
  app deploy web: it is not there
wiki: failed [host-file-missing]:
  /var/lib/key is not there, and must
  hold the key`);
  });

  test("is a plan that speaks of the whole host only when it is one", () => {
    const idle = [{ piece: "web", calls: [], warnings: [], stop: null }];
    const textOf = (ofAll: boolean) =>
      stripVTControlCharacters(planText(idle, { ofAll, columns: undefined }));
    expect(textOf(true)).toBe("web: nothing to do\nThis host is as it should be.");
    expect(textOf(false)).toBe("web: nothing to do");
  });

  test("breaks at blanks alone", () => {
    const text = "see /a/very/long/path/that/does/not/fit for more";
    expect(paragraph(text, { indent: 1, hang: 3, columns: 20 })).toBe(
      " see\n   /a/very/long/path/that/does/not/fit\n   for more",
    );
  });
});
