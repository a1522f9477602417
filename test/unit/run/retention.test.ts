import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KeptRun, superseded } from "../../../services/run/retention.ts";

const now = new Date("2026-03-01T00:00:00.000Z");
const plenty = { days: 30, runs: 100, bytes: 1e12 };

/** Runs that ended so many days ago, each of 10 bytes, named by it. */
function ended(...days: readonly number[]): readonly KeptRun[] {
  return days.map((day) => ({
    id: `d${day}`,
    endedAt: new Date(now.getTime() - day * 86_400_000).toISOString(),
    bytes: 10,
  }));
}

describe("of the runs that are over", () => {
  test("all stay while there is room", () => {
    expect(superseded(ended(3, 1, 29), plenty, now)).toEqual([]);
  });

  test("the old ones go, the oldest first", () => {
    expect(superseded(ended(31, 1, 99, 29), plenty, now)).toEqual(["d99", "d31"]);
  });

  test("the oldest go when they are too many", () => {
    expect(superseded(ended(1, 4, 2, 3), { ...plenty, runs: 2 }, now)).toEqual(["d4", "d3"]);
  });

  test("the oldest go when they are too large", () => {
    expect(superseded(ended(1, 2, 3), { ...plenty, bytes: 25 }, now)).toEqual(["d3"]);
  });

  test("what stays is newer than all that goes, and within every bound", () => {
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 60 }));
    const bound = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(days, bound, bound, (ages, runs, tens) => {
        const keep = { days: 30, runs, bytes: tens * 10 };
        const gone = new Set(superseded(ended(...ages), keep, now));
        const [stay, go] = [true, false].map((stays) =>
          ages.filter((age) => gone.has(`d${age}`) !== stays),
        );
        expect(Math.max(-1, ...(stay ?? []))).toBeLessThan(Math.min(99, ...(go ?? [])));
        expect(stay?.length).toBe(Math.min(runs, tens, ages.filter((age) => age <= 30).length));
      }),
    );
  });
});
