import { createTwoFilesPatch } from "diff";
import type { Difference } from "./comparison.ts";

/** The difference as a unified diff, from the disk to the sources. */
export function unifiedDiff({ path, before, after }: Difference): string {
  const patch = createTwoFilesPatch(
    before === undefined ? "/dev/null" : `a/${path}`,
    after === undefined ? "/dev/null" : `b/${path}`,
    before ?? "",
    after ?? "",
    undefined,
    undefined,
    { context: 3 },
  );
  return patch.slice(patch.indexOf("---"));
}
