import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { hostsAtOnce } from "./host/machine/throwaway.ts";
import { isWaiting } from "./waiting.ts";

/**
 * Files of cases that wait, by the beginning of the file's name, the longest first: begun late, all else waits for
 * them. Those of the bridge wait for no host: one of them goes with each few that do.
 */
const waiting = [
  ...["killed-drone", "bridge.test", "drone-changes", "killed.test", "drone-builds"],
  ...["certificate.", "drift.test", "no-answer", "run-down", "killed-own-stack", "drone-away"],
  ...["drone-life", "killed-seldom", "abra-otherwise", "forge-away"],
  ...["run-switch", "drone-logins", "webhook", "run-life", "killed-apps", "pulls"],
  ...["refusals", "killed-inside", "commands.test", "contract", "run-hostile", "trust"],
  ...["releases", "swarm-gone", "limits", "killed-moved"],
  ...["disk", "killed-", "life", "moved", "retired", "drone-", "secrecy", "together", "commits"],
  ...["abra", "host", "switch", "machine", "person"],
];

/** The same of those that work. */
const working = ["killed", "diff", "synth", "bad-output", "check", "static", "bridge-outbox"];

/** As many as there are hosts at work when no further one is begun. */
const sharesAtTheEnd = hostsAtOnce;

/**
 * Files that wait beside those that work, which take a core as long as they run: after each that waits a few that
 * work, and some at the end, on the cores that the last hosts leave. A fresh clone knows nothing of how long a file
 * took: the longest go first all the same.
 */
export class WaitingBesideWorking extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ moduleId }: TestSpecification): boolean => isWaiting(moduleId);
    const hosts = longestFirst(sorted.filter(waits), waiting);
    const others = longestFirst(
      sorted.filter((file) => !waits(file)),
      working,
    );
    const [first, later] = [hosts.slice(0, hostsAtOnce), hosts.slice(hostsAtOnce)];
    const share = others.length / (later.length + sharesAtTheEnd);
    const upTo = (at: number): number => Math.round(at * share);
    return [
      ...first,
      ...later.flatMap((file, at) => [...others.slice(upTo(at), upTo(at + 1)), file]),
      ...others.slice(upTo(later.length)),
    ];
  }
}

function longestFirst(
  files: readonly TestSpecification[],
  long: readonly string[],
): readonly TestSpecification[] {
  const place = ({ moduleId }: TestSpecification): number => {
    const found = long.findIndex((start) => basename(moduleId).startsWith(start));
    return found === -1 ? long.length : found;
  };
  return files.toSorted((a, b) => place(a) - place(b));
}
