import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** What a run came to, in tests. What fails without being a test counts as a failed one. */
interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

interface SkippedTest {
  readonly name: string;
  readonly reason: string;
}

/**
 * Ends the output with what was skipped and why, and with one line that people and CI can read:
 * `N passed, N failed` or `N passed, N failed, N skipped`.
 */
export class CountReporter implements Reporter {
  #count: Count = { passed: 0, failed: 0, skipped: [] };
  #isWatching = false;

  onInit(vitest: Vitest): void {
    this.#isWatching = vitest.config.watch;
    // Anything may still be printed between the end of the run and that of the process. And only
    // then is it known whether the process fails for a reason that no test shows.
    if (!this.#isWatching) process.once("exit", (code) => this.#print(code));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#count = countTests(modules, unhandledErrors.length);
    if (this.#isWatching) this.#print(0);
  }

  #print(code: number): void {
    const { passed, skipped } = this.#count;
    const failed = this.#count.failed === 0 && code !== 0 ? 1 : this.#count.failed;
    const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
    const lines = [...describeSkipped(skipped), `${passed} passed, ${failed} failed${tail}`];
    // A line of its own, whatever stands before it.
    process.stdout.write(`\n${lines.join("\n")}\n`);
    if (failed > 0 && code === 0 && !this.#isWatching) process.exitCode = 1;
  }
}

function countTests(modules: readonly TestModule[], unhandledErrors: number): Count {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string): TestCase[] =>
    tests.filter((test) => test.result().state === state);
  // A test that never got a result is no proof of anything.
  const failedTests = inState("failed").length + inState("pending").length;
  const failed = failedTests + failedOutsideTests(modules) + unhandledErrors;
  return {
    passed: inState("passed").length,
    // A run that ran nothing is not a good one.
    failed: tests.length === 0 ? Math.max(failed, 1) : failed,
    skipped: inState("skipped").map((test) => ({
      name: `${test.module.relativeModuleId} > ${test.fullName}`,
      reason: reasonOf(test),
    })),
  };
}

/** Files that do not load, and hooks around tests that fail. */
function failedOutsideTests(modules: readonly TestModule[]): number {
  return modules
    .flatMap((module) => [module, ...module.children.allSuites()])
    .filter((each) => each.errors().length > 0).length;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped" && result.note) return result.note;
  return test.options.mode === "todo" ? "to do" : "left out in the test file or by a filter";
}

function describeSkipped(skipped: readonly SkippedTest[]): string[] {
  const byReason = Map.groupBy(skipped, (test) => test.reason);
  return [...byReason].flatMap(([reason, tests]) => [
    `skipped, ${reason}`,
    ...tests.map((test) => `  ${test.name}`),
  ]);
}
