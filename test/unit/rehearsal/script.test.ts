import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runResultsSchema } from "../../../services/lib/run.ts";
import { sceneOf, stagesOf } from "../../../services/rehearsal/script.ts";

let folder = "";
const script = () => join(folder, "script.json");
const isRoot = process.getuid?.() === 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-ci-script-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(content: unknown, mode = 0o600): void {
  writeFileSync(script(), JSON.stringify(content));
  chmodSync(script(), mode);
}

test("a rehearsal without a script says what it was asked for, and passes", async () => {
  expect(await sceneOf("wiki", script())).toMatchObject({
    ...{ acts: [], outcome: "passed", results: "written", exitStatus: null },
  });
});

test.runIf(isRoot)("a script says what the runs of its recipes do, and of no other", async () => {
  write({ wiki: { outcome: "failed", acts: [{ say: "x" }] } });
  expect(await sceneOf("wiki", script())).toMatchObject({
    ...{ outcome: "failed", acts: [{ say: "x" }] },
  });
  expect((await sceneOf("blog", script())).outcome).toBe("passed");
});

test("a rehearsal says of its stages what a test would, and leaves one out when it is to be quick", () => {
  const times = { startedAt: "2026-01-01T10:00:00.000Z", endedAt: "2026-01-01T10:00:02.000Z" };
  const scene = { stages: null, outcome: "failed", reason: null } as const;
  const [whole, quick] = [false, true].map((each) => stagesOf(scene, { quick: each }, times));
  const first = { name: "rehearse", status: "failed", reason: "its script says so", ...times };
  expect(whole).toEqual([first, expect.objectContaining({ status: "passed", reason: null })]);
  expect(quick).toEqual([first, expect.objectContaining({ status: "skipped", startedAt: null })]);
  expect(runResultsSchema.shape.stages.parse(quick)).toEqual(quick);
  expect(stagesOf({ ...scene, stages: [] }, { quick: true }, times)).toEqual([]);
});

test.for([0o644, 0o660, 0o602])(
  "a script that others than root may read or write is refused: %o",
  async (mode) => {
    write({}, mode);
    await expect(sceneOf("wiki", script())).rejects.toThrow("must be root's alone");
  },
);

test.runIf(isRoot)("a script with something that no rehearsal can do is refused", async () => {
  for (const scene of [{ run: "rm" }, { acts: [{ exec: "rm" }] }, { acts: [{ children: 1e6 }] }]) {
    write({ wiki: scene });
    await expect(sceneOf("wiki", script())).rejects.toThrow();
  }
});
