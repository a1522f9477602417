import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { heldRuns, writeNote } from "../../../services/lib/living-runs.ts";

let living = "";

beforeEach(() => {
  living = mkdtempSync(join(tmpdir(), "cc-ci-living-"));
});

afterEach(() => rmSync(living, { recursive: true }));

const unit = "cc-ci-run@1-2-3.service";

async function note(): Promise<void> {
  mkdirSync(join(living, "1-2-3"), { recursive: true });
  const since = "2026-01-01T00:00:00.000Z";
  const run = { id: "1".repeat(16), recipe: "wiki", since, isCancelled: false };
  await writeNote(join(living, "1-2-3"), run);
}

/** What systemd lists, look by look; the last of it from then on. */
function units(...looks: readonly (() => Promise<readonly string[]>)[]) {
  let at = 0;
  return async () => await (looks[Math.min(at++, looks.length - 1)]?.() ?? []);
}

describe("the runs that go on while none may begin", () => {
  test("are none where there is no service", async () => {
    expect(await heldRuns(living, async () => [])).toEqual({ runs: [], nameless: [] });
  });

  test("are those that have said which they are", async () => {
    await note();
    const { runs, nameless } = await heldRuns(living, async () => [unit]);
    expect(runs).toMatchObject([{ unit, recipe: "wiki" }]);
    expect(nameless).toEqual([]);
  });

  test("include one that had been started and had not said so yet", async () => {
    const there = async () => [unit];
    const begins = async () => {
      await note();
      return [unit];
    };
    expect((await heldRuns(living, units(there, there, begins, there))).runs).toMatchObject([
      { unit },
    ]);
  });

  test("do not include a service that came to no run", async () => {
    const there = async () => [unit];
    const found = await heldRuns(
      living,
      units(there, there, async () => []),
    );
    expect(found).toEqual({ runs: [], nameless: [] });
  });

  test("do not wait for services that came later, which are put off", async () => {
    const later = units(
      async () => [],
      async () => [unit],
    );
    expect(await heldRuns(living, later)).toEqual({ runs: [], nameless: [] });
  });

  test("are not known of a service that says nothing in time", async () => {
    expect(await heldRuns(living, async () => [unit], 0)).toEqual({ runs: [], nameless: [unit] });
  });
});
