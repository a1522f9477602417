import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Cases that take minutes, by the beginning of the file's name, the longest first: begun late, all else
 * waits for them. Those that mostly wait stand between those that mostly work.
 */
const long = [
  ...["killed-drone", "drone-builds", "drone-changes", "no-answer", "killed-seldom"],
  ...["drift.test", "certificate", "drone-life", "run-down", "abra-otherwise"],
  ...["run-switch", "drone-logins", "run-life", "killed-apps", "refusals"],
  ...["killed-inside", "contract", "run-hostile", "releases", "swarm-gone", "killed-moved"],
  ...["disk", "killed-", "life", "moved", "retired", "drone-", "secrecy", "together", "commits"],
  ...["abra", "host", "switch", "machine", "person"],
];

/** A fresh clone knows nothing of how long a file took: the longest go first all the same. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = long.findIndex((start) => basename(moduleId).startsWith(start));
      return found === -1 ? long.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
