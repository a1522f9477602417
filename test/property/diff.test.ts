import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { unifiedDiff } from "../../constructs/core/unified-diff.ts";
import { requireTool } from "../tools.ts";
import { inScratchFolder } from "./oracles.ts";

/** Text as it stands in files: with and without a newline at the end, and lines that look like a diff. */
const text = fc
  .tuple(
    fc.array(
      fc.constantFrom("a", "b", "c", "d", "", " ", "é", "--- a", "+++ b", "@@ -1 +1 @@", "\\"),
      {
        maxLength: 30,
      },
    ),
    fc.boolean(),
  )
  .map(([lines, ends]) => lines.join("\n") + (ends && lines.length > 0 ? "\n" : ""));

const changes = fc.array(
  fc.tuple(text, text).filter(([before, after]) => before !== after),
  { minLength: 1, maxLength: 60, size: "max" },
);

test.for(["patch", "git"])(
  "the real %s makes of the text before the text after",
  (tool, context) => {
    const program = requireTool(context, tool);
    const args = tool === "git" ? ["apply", "-p1", "--whitespace=nowarn"] : ["-p1", "--quiet"];
    fc.assert(
      fc.property(changes, (pairs) => {
        inScratchFolder((folder) => {
          // Given files as they were, and one patch for all of them
          mkdirSync(join(folder, "out"));
          for (const [index, [before]] of pairs.entries()) {
            writeFileSync(join(folder, `out/${index}`), before);
          }
          const patch = pairs.map(([before, after], index) =>
            unifiedDiff({ path: `out/${index}`, state: "stale", before, after }),
          );
          // When it is applied, then they are as the sources say
          execFileSync(program, args, {
            cwd: folder,
            input: patch.join(""),
            stdio: ["pipe", "pipe", "pipe"],
            // Not the repository that a temporary folder may lie in.
            env: { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: folder },
          });
          const read = pairs.map((_, index) => readFileSync(join(folder, `out/${index}`), "utf8"));
          expect(read).toEqual(pairs.map(([, after]) => after));
        });
      }),
      { numRuns: 10, endOnFailure: true },
    );
  },
);
