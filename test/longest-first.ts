import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Cases that take minutes, by the beginning of the file's name, the longest first: begun late, all else
 * waits for them. The first, one for each place of a host, wait more than they work.
 *
 * Those of the bridge wait for no host. One of them goes with each few that do, for the core that is left over when
 * nobody but hosts is at work.
 */
const long = [
  ...["killed-drone", "bridge.test", "drone-changes", "killed.test", "drone-builds"],
  ...["certificate.", "drift.test", "no-answer", "run-down", "killed-own-stack", "drone-away"],
  ...["drone-life", "killed-seldom", "abra-otherwise", "forge-away"],
  ...["run-switch", "drone-logins", "webhook", "run-life", "killed-apps", "pulls"],
  ...["refusals", "killed-inside", "commands.test", "contract", "run-hostile", "trust"],
  ...["releases", "swarm-gone", "limits", "killed-moved"],
  ...["disk", "killed-", "life", "moved", "retired", "drone-", "secrecy", "together", "commits"],
  ...["abra", "host", "switch", "machine", "person"],
];

/** The same of what needs no host. */
const longHere = ["killed", "diff", "synth", "bad-output", "check", "static", "bridge-outbox"];

/**
 * A fresh clone knows nothing of how long a file took: the longest go first all the same. What needs no host
 * goes last: it takes a core as long as it runs, and so has those that the last hosts leave, to the end.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      const isHere = project.name === "here";
      const starts = isHere ? longHere : long;
      const found = starts.findIndex((start) => basename(moduleId).startsWith(start));
      return (isHere ? long.length + 1 : 0) + (found === -1 ? starts.length : found);
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
