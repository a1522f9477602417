import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ageless, type KeptRun, superseded } from "../../../services/run/retention.ts";

const now = new Date("2026-03-01T00:00:00.000Z");
const plenty = { days: 30, runs: 100, bytes: 1e12 };

/** Runs that ended so many days ago, named by it, each of 10 bytes of which 1 says what it came to. */
function ended(...days: readonly number[]): readonly KeptRun[] {
  return days.map((day) => ({
    ...{ id: `d${day}`, bytes: 10, coreBytes: 1, isOwed: false },
    endedAt: new Date(now.getTime() - day * 86_400_000).toISOString(),
  }));
}

/** As many as stay at any age, that ended just now. */
const recent = ended(...Array.from({ length: ageless }, (_, index) => index / 1000));

const nothing = { removed: [], stripped: [] };

describe("of the runs that are over", () => {
  test("all stay while there is room", () => {
    expect(superseded(ended(3, 1, 29), plenty, now)).toEqual(nothing);
  });

  test("the old ones go, the oldest first", () => {
    const runs = [...recent, ...ended(31, 1, 99, 29)];
    expect(superseded(runs, plenty, now)).toEqual({ ...nothing, removed: ["d99", "d31"] });
  });

  test("the newest stay at any age, as by a clock that is years ahead", () => {
    const runs = ended(...Array.from({ length: 25 }, (_, index) => 4000 + index));
    expect(superseded(runs, plenty, now).removed).toEqual([
      ...["d4024", "d4023", "d4022", "d4021", "d4020"],
    ]);
  });

  test("the oldest go when they are too many", () => {
    const { removed } = superseded(ended(1, 4, 2, 3), { ...plenty, runs: 2 }, now);
    expect(removed).toEqual(["d4", "d3"]);
  });

  test("what the oldest came to stays when they are too large", () => {
    expect(superseded(ended(1, 2, 3), { ...plenty, bytes: 25 }, now)).toEqual({
      ...{ removed: [], stripped: ["d3"] },
    });
  });

  test("a huge one costs the others no more than logs and artefacts, and itself not more", () => {
    const huge = { ...ended(0)[0], id: "huge", bytes: 1e12, coreBytes: 1 } as KeptRun;
    expect(superseded([huge, ...ended(1, 2)], { ...plenty, bytes: 1000 }, now)).toEqual({
      ...{ removed: [], stripped: ["d2", "d1", "huge"] },
    });
  });

  test("whole ones go where what they came to is too much by itself", () => {
    expect(superseded(ended(1, 2, 3), { ...plenty, bytes: 2 }, now)).toEqual({
      ...{ removed: ["d3"], stripped: ["d2", "d1"] },
    });
  });

  test("those that a teardown is owed to stay, however old, many or large, without log and artefacts", () => {
    const owed = ended(98, 99).map((run) => ({ ...run, isOwed: true }));
    const runs = [...recent, ...ended(31), ...owed];
    expect(superseded(runs, plenty, now)).toEqual({ ...nothing, removed: ["d31"] });
    expect(superseded(owed, { ...plenty, runs: 1 }, now)).toEqual(nothing);
    expect(superseded(owed, { ...plenty, bytes: 1 }, now)).toEqual({
      ...{ removed: [], stripped: ["d99", "d98"] },
    });
  });

  test("what stays is newer than all that goes, and within every bound", () => {
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 60 }));
    const bound = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(days, bound, fc.integer({ min: 0, max: 400 }), (ages, runs, bytes) => {
        const keep = { days: 30, runs, bytes };
        const all = ended(...ages);
        const { removed, stripped } = superseded(all, keep, now);
        const age = (id: string) => Number(id.slice(1));
        const stay = all.filter(({ id }) => !removed.includes(id));
        const kept = stay.map(({ id, coreBytes, bytes: whole }) =>
          stripped.includes(id) ? coreBytes : whole,
        );
        expect(kept.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(bytes);
        expect(stay.length).toBeLessThanOrEqual(runs);
        const older = stay.toSorted((a, b) => age(a.id) - age(b.id)).slice(ageless);
        for (const { id } of older) expect(age(id)).toBeLessThanOrEqual(30);
        const oldestThatStays = Math.max(-1, ...stay.map(({ id }) => age(id)));
        expect(oldestThatStays).toBeLessThan(Math.min(99, ...removed.map(age)));
        expect(removed).toEqual(removed.toSorted((a, b) => age(b) - age(a)));
      }),
    );
  });
});
