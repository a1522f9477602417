import { defineConfig } from "vitest/config";
import { hostsAtOnce } from "./test/host/machine/throwaway.ts";
import { CountReporter } from "./test/reporter.ts";
import { WaitingBesideWorking } from "./test/sequence.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "docs/example/*.test.ts"],
    sequence: { sequencer: WaitingBesideWorking },
    // What a file loads and bundles, the next one of the same worker finds done.
    isolate: false,
    // Megabytes that new objects may take before they are looked through: with the usual 16 a tenth of the
    // time goes there.
    execArgv: ["--min-semi-space-size=64", "--max-semi-space-size=64"],
    // One for each place that hosts have, and one for what needs none and works all the time.
    maxWorkers: hostsAtOnce + 1,
    reporters: ["default", new CountReporter()],
    // Tests start real programs, several at once on few cores: a limit is there to end what hangs.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: [`${import.meta.dirname}/test/temporary-files.ts`],
    setupFiles: [`${import.meta.dirname}/test/patience.ts`],
  },
});
