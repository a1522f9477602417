import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sceneOf } from "../../../services/rehearsal/script.ts";

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
