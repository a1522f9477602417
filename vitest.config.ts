import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { hostsAtOnce } from "./test/host/machine/throwaway.ts";
import { LongestFirst } from "./test/longest-first.ts";
import { CountReporter } from "./test/reporter.ts";

/**
 * Cases on booted hosts wait most of the time: more of them than cores, one for each place there is. So
 * does what is tried on Drone.
 */
const hosts = ["test/host/**/*.test.ts", "test/drone/**/*.test.ts"];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // What a file loads and bundles, the next one of the same worker finds done.
    isolate: false,
    reporters: ["default", new CountReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: "here",
          include: ["test/**/*.test.ts", "docs/example/*.test.ts"],
          exclude: hosts,
          // One more than cores: some wait for a limit to pass.
          maxWorkers: availableParallelism() + 1,
          // Tests start real programs, several at once on few cores: a limit is there to end what hangs.
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "hosts",
          include: hosts,
          maxWorkers: hostsAtOnce,
          // Waiting for a place counts.
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
          // After the others, which use every core.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
