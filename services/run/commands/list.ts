import { defineLines } from "../../lib/line.ts";
import { livingRuns } from "../../lib/living-runs.ts";
import { runPlaces } from "../../lib/run.ts";

export const listLines = defineLines({
  "list-not-root": {
    as: "refused",
    says: "only root may see what runs: run it with sudo",
  },
});

/** @throws {Stop} for another user than root */
export function mustBeRoot(): void {
  if (process.getuid?.() !== 0) throw listLines.stop("list-not-root", {});
}

/**
 * `cc-ci-run list [--json]`: the runs that go on, or are being ended.
 *
 * @returns the exit status
 */
export async function listCommand(json: boolean): Promise<number> {
  mustBeRoot();
  const runs = await livingRuns(runPlaces.living);
  if (json) console.log(JSON.stringify({ version: 1, runs }, null, 2));
  else if (runs.length === 0) console.log("no run goes on");
  else {
    for (const { id, recipe, since, unit, isCancelled } of runs) {
      const ending = isCancelled ? ", is being ended" : "";
      console.log(`${id}  ${recipe}  since ${since}${ending}  (${unit})`);
    }
  }
  return 0;
}
