import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Gate } from "../../../services/bridge/pipeline/gate.ts";
import { Records } from "../../../services/bridge/records/index.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";
import { ForgeRefusal } from "../../../services/lib/forge/trouble.ts";

let records: Records;

beforeEach(() => {
  records = new Records(":memory:");
});

afterEach(() => {
  records.close();
});

describe("the gate", () => {
  const lines: unknown[] = [];
  const writing = pino(
    { base: null },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );

  beforeEach(() => {
    lines.length = 0;
  });

  test("says what is done before it is done, and counts what was", async () => {
    const metrics = new Metrics(records, () => undefined);
    const gate = new Gate(writing, metrics);
    const came = await gate.pass("comment post", "recipes/wiki#3", async () => {
      expect(lines).toMatchObject([
        { act: "comment post", target: "recipes/wiki#3", step: 1, msg: "does" },
      ]);
      return 20;
    });
    expect(came).toBe(20);
    await gate.pass("comment post", "recipes/wiki#4", async () => undefined);
    expect(lines).toMatchObject([{ step: 1 }, { step: 2, target: "recipes/wiki#4" }]);
    expect(await metrics.registry.metrics()).toContain(
      'cc_ci_bridge_acts_total{act="comment post"} 2',
    );
  });

  test("lets through what went wrong, and does not count it", async () => {
    const metrics = new Metrics(records, () => undefined);
    const gate = new Gate(writing, metrics);
    const refused = new ForgeRefusal("not-found", "gone");
    await expect(
      gate.pass("comment edit", "recipes/wiki#3", async () => {
        throw refused;
      }),
    ).rejects.toBe(refused);
    expect(await metrics.registry.metrics()).not.toContain('act="comment edit"');
    await gate.pass("comment edit", "recipes/wiki#3", async () => undefined);
    expect(lines).toMatchObject([{ step: 1 }, { step: 2 }]);
  });
});
