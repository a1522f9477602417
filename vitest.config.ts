import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { CountReporter } from "./test/reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "docs/example/*.test.ts"],
    reporters: ["default", new CountReporter()],
    maxWorkers: availableParallelism(),
    // Tests start real programs, several at once on few cores: a limit is there to end what hangs.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
