import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { hostsAtOnce } from "./host/machine/throwaway.ts";

/**
 * Cases that take minutes, by the beginning of the file's name, the longest first: begun late, all else
 * waits for them. The first, one for each place of a host, wait more than they work.
 *
 * Those of the bridge wait for no host. One of them goes with each few that do, for the core that is left over when
 * nobody but hosts is at work; at the end one of them would have a core to itself for minutes.
 */
const long = [
  ...["killed-drone", "bridge.test", "drone-changes", "killed.test", "drone-builds", "certificate"],
  ...["no-answer", "run-down", "killed-own-stack", "drift.test", "drone-away"],
  ...["drone-life", "killed-seldom", "abra-otherwise", "forge-away"],
  ...["run-switch", "drone-logins", "webhook", "run-life", "killed-apps", "pulls"],
  ...["refusals", "killed-inside", "commands.test", "contract", "run-hostile", "trust"],
  ...["releases", "swarm-gone", "limits", "killed-moved"],
  ...["disk", "killed-", "life", "moved", "retired", "drone-", "secrecy", "together", "commits"],
  ...["abra", "host", "switch", "machine", "person"],
];

/**
 * A fresh clone knows nothing of how long a file took: the longest go first all the same. What needs no host
 * takes a core as long as it runs, so it has the time in which the first hosts wait.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === "here") return hostsAtOnce - 0.5;
      const found = long.findIndex((start) => basename(moduleId).startsWith(start));
      return found === -1 ? long.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
