import { expect, test } from "vitest";
import { compare } from "../../../constructs/core/comparison.ts";
import { digestOf } from "../../../constructs/core/digest.ts";
import type { FileSpec } from "../../../constructs/core/file-spec.ts";
import type { Manifest } from "../../../constructs/core/manifest.ts";
import { unifiedDiff } from "../../../constructs/core/unified-diff.ts";

function file(path: string, content: string): FileSpec {
  return { path, source: "one", content, digest: digestOf(content) };
}

/** The manifest of a synth that wrote these texts. */
function wrote(files: Readonly<Record<string, string>>): Manifest {
  const entries = Object.entries(files).map(
    ([path, text]) => [path, { digest: digestOf(text), source: "one" }] as const,
  );
  return { version: 1, files: Object.fromEntries(entries), facts: {} };
}

test("each state is told from the disk, the sources and what the last synth wrote", () => {
  // Given a file in each state
  const files = [
    file("out/same", "same"),
    file("out/missing", "new"),
    file("out/stale", "new"),
    file("out/edited", "new"),
    file("out/unknown", "new"),
  ];
  const disk = new Map([
    ["out/same", "same"],
    ["out/stale", "old"],
    ["out/edited", "by hand"],
    ["out/unknown", "old"],
    ["out/orphan", "old"],
    ["out/foreign", "by hand"],
  ]);
  const manifest = wrote({
    "out/same": "same",
    "out/missing": "old",
    "out/stale": "old",
    "out/edited": "old",
    "out/orphan": "old",
    "out/gone": "old",
  });
  // When they are compared, then each is named with both its texts, sorted by path
  expect(compare(files, disk, manifest)).toEqual([
    { path: "out/edited", state: "edited", before: "by hand", after: "new" },
    { path: "out/foreign", state: "foreign", before: "by hand", after: undefined },
    { path: "out/missing", state: "missing", before: undefined, after: "new" },
    { path: "out/orphan", state: "orphan", before: "old", after: undefined },
    { path: "out/stale", state: "stale", before: "old", after: "new" },
    { path: "out/unknown", state: "stale", before: "old", after: "new" },
  ]);
});

test("without a manifest everything else is foreign", () => {
  expect(compare([], new Map([["out/a", "x"]]), undefined)).toEqual([
    { path: "out/a", state: "foreign", before: "x", after: undefined },
  ]);
});

test("a file that was edited to what the sources say by now is fine", () => {
  expect(
    compare([file("out/a", "new")], new Map([["out/a", "new"]]), wrote({ "out/a": "old" })),
  ).toEqual([]);
});

test("a difference is shown as a unified diff from the disk to the sources", () => {
  const before = "a\nb\nc\nd\ne\nf\ng\n";
  const after = "a\nb\nc\nD\ne\nf\ng\n";
  expect(unifiedDiff({ path: "out/x", state: "stale", before, after })).toBe(
    "--- a/out/x\n+++ b/out/x\n@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+D\n e\n f\n g\n",
  );
});

test("a new file and one that goes are shown against nothing", () => {
  expect(unifiedDiff({ path: "out/x", state: "missing", before: undefined, after: "a\n" })).toBe(
    "--- /dev/null\n+++ b/out/x\n@@ -0,0 +1,1 @@\n+a\n",
  );
  expect(unifiedDiff({ path: "out/x", state: "orphan", before: "a\n", after: undefined })).toBe(
    "--- a/out/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n",
  );
});
