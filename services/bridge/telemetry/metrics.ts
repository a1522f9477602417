import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Verdict } from "../records/commands.ts";
import type { Records } from "../records/index.ts";
import type { RequestOutcome } from "../records/requests.ts";
import type { Act } from "./acts.ts";

const day = 24 * 60 * 60_000;

/** What can be watched of the bridge; docs/runbook.md says what each number means, and what to do about it. */
export class Metrics {
  readonly registry = new Registry();
  readonly #judged = this.#counter("judged_total", "Comments that were judged", "verdict");
  readonly #ended = this.#counter("tests_ended_total", "Tests that ended", "outcome");
  readonly #acts = this.#counter("acts_total", "What was done on the forge and in Drone", "act");
  readonly #deliveries = this.#counter("deliveries_total", "Deliveries of hooks", "result");

  constructor(records: Records, lookedAt: () => number | undefined) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge("forge_looked_timestamp_seconds", "When the forge last told what is new", () =>
      lookedAt() === undefined ? Number.NaN : (lookedAt() ?? 0) / 1000,
    );
    this.#gauge("commands_waiting", "Comments that are not judged yet", () =>
      records.commands.countUnjudged(),
    );
    this.#gauge("tests_going_on", "Tests that were accepted and have not ended", () =>
      records.requests.countGoingOn(),
    );
    this.#gauge("answers_owed", "Answers and reactions that are not on the forge yet", () =>
      records.answers.countOwed(),
    );
    this.#gauge("parked", "What was given up within a day", () =>
      records.attempts.countParked(Date.now() - day),
    );
  }

  judged(verdict: Verdict): void {
    this.#judged.inc({ verdict });
  }

  ended(outcome: RequestOutcome): void {
    this.#ended.inc({ outcome });
  }

  did(act: Act): void {
    this.#acts.inc({ act });
  }

  /** @param result a word of a fixed set */
  delivered(result: string): void {
    this.#deliveries.inc({ result });
  }

  #counter<Label extends string>(name: string, help: string, label: Label): Counter<Label> {
    const labelNames = [label];
    return new Counter({
      name: `cc_ci_bridge_${name}`,
      help,
      labelNames,
      registers: [this.registry],
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name: `cc_ci_bridge_${name}`, help, registers: [this.registry] },
      collect() {
        this.set(read());
      },
    });
  }
}
