import { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Drainable, drained, statusOf } from "../../../services/run/commands/drain.ts";

/** A host where nothing goes on, but for what a test says. */
function hostWith(parts: Partial<Drainable>): Drainable {
  const nothing = async () => undefined;
  const none = async () => 0;
  return {
    runnerState: async () => "inactive",
    runs: async () => ({ runs: [], nameless: [] }),
    ...{ endRunner: nothing, killRunner: nothing, holdRuns: nothing, endRuns: none },
    ...parts,
  };
}

const pace = { look: 5, report: 50 };

describe("a host", () => {
  test("is drained once nothing goes on and nothing can begin", async () => {
    const asked: string[] = [];
    const states = ["active", "deactivating"];
    const host = hostWith({
      runnerState: async () => states.shift() ?? "inactive",
      endRunner: async () => void asked.push("end"),
      holdRuns: async () => void asked.push("hold"),
    });
    expect(await drained(host, false, new AbortController().signal, pace)).toBe(true);
    expect(asked).toEqual(["end", "end", "hold"]);
  });

  test("is not drained for who gives up during the last look", async () => {
    const givenUp = new AbortController();
    const host = hostWith({
      runs: async () => {
        givenUp.abort("SIGINT");
        return { runs: [], nameless: [] };
      },
    });
    expect(await drained(host, false, givenUp.signal)).toBe(false);
  });

  test("that cannot be asked is an error, and none for who gave up", async () => {
    const givenUp = new AbortController();
    const failing = (before: () => void) =>
      hostWith({
        runnerState: async () => {
          before();
          throw new Error("killed");
        },
      });
    const { signal } = givenUp;
    await expect(
      drained(
        failing(() => undefined),
        false,
        signal,
      ),
    ).rejects.toThrow("killed");
    expect(
      await drained(
        failing(() => givenUp.abort("SIGINT")),
        false,
        signal,
      ),
    ).toBe(false);
  });
});

describe("a runner that does not get to tell how its builds ended", () => {
  /** Drains a host with such a runner, where the looks at its runs find so many. @returns how long it had, in ms */
  async function timeOf(end: boolean, ...runs: number[]): Promise<number | undefined> {
    let [emptyAt, killedAt] = [performance.now(), Number.NaN];
    const givenUp = new AbortController();
    const host = hostWith({
      runnerState: async () => (Number.isNaN(killedAt) ? "deactivating" : "failed"),
      killRunner: async () => {
        killedAt = performance.now();
      },
      endRuns: async () => {
        const count = runs.shift() ?? 0;
        if (count > 0) emptyAt = performance.now();
        return count;
      },
    });
    const timer = setTimeout(() => givenUp.abort("SIGINT"), 1000);
    const isDrained = await drained(host, end, givenUp.signal, pace);
    clearTimeout(timer);
    return isDrained ? killedAt - emptyAt : undefined;
  }

  test("is killed a while after the last run where all is to end", async () => {
    const aWhile = Array.from({ length: 20 }, () => 1);
    expect(await timeOf(true, ...aWhile)).toBeGreaterThanOrEqual(pace.report);
  });

  test("is waited for where it is not", async () => {
    expect(await timeOf(false)).toBeUndefined();
  });
});

describe("the command of a drained host", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cc-ci-drain-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  test("is told of each signal that its terminal does not tell it of", async () => {
    const file = join(folder, "heard");
    const heard = () => readFileSync(file, "utf8");
    const signals = new EventEmitter();
    const traps = `trap 'echo hup >>${file}' HUP; trap 'echo term >>${file}; exit 3' TERM`;
    const script = `${traps}; echo ready >>${file}; while :; do sleep 0.1; done`;
    const status = statusOf(["sh", "-c", script], signals);
    await vi.waitFor(heard, 10_000);
    // when
    signals.emit("SIGINT");
    signals.emit("SIGHUP");
    await vi.waitFor(() => expect(heard()).toContain("hup"), 10_000);
    signals.emit("SIGTERM");
    // then
    expect(await status).toBe(3);
    expect(heard()).toBe("ready\nhup\nterm\n");
  });
});
