import { hostImages } from "../host/machine/docker-data.ts";
import { hostRoot } from "../host/machine/root.ts";
import type { CachedTool } from "./cached-tools.ts";
import type { Need } from "./debian.ts";
import { findProgram } from "./programs.ts";

/** What the hosts of the tests are made of, in the order in which they are built. */
export const hostParts: readonly CachedTool[] = [hostRoot, hostImages];

/** What booting them takes, with everything built. */
export const hostNeeds: readonly Need[] = [
  {
    why: "boots the hosts of the tests",
    present: () => findProgram("systemd-nspawn") !== undefined,
    candidates: ["systemd-container"],
  },
];

/** Why this machine cannot run hosts of the tests, whatever is installed on it. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (findProgram("apt-get") === undefined) return "needs Debian";
  // Mounts, control groups, and a Debian whose files have owners.
  if (process.getuid?.() !== 0) return "needs root";
  return undefined;
}
