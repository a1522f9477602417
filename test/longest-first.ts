import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Cases that take minutes, by the beginning of the file's name, the longest first: begun late, all else
 * waits for them. Those that mostly wait stand between those that mostly work.
 */
const long = [
  ...[
    "killed-drone",
    "drone-builds",
    "drone-life",
    "certificate",
    "no-answer",
    "drone-credentials",
  ],
  ...["run-down", "drift.test", "drift-pairs", "killed-apps", "killed-moved", "drone-logins"],
  ...["killed-seldom", "drone-switch", "abra-otherwise", "killed-inside", "contract", "drone-"],
  ...["refusals", "run-hostile", "releases", "killed-", "run-life", "run-switch", "disk"],
  ...["life", "moved", "together", "retired", "secrecy", "host", "swarm-gone", "abra"],
  ...["commits", "switch", "machine", "person"],
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
