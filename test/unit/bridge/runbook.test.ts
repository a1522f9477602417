import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Records } from "../../../services/bridge/records/index.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";

const root = join(import.meta.dirname, "../../..");
const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");

const records = new Records(":memory:");

afterAll(() => records.close());

/** The rows of the table below a heading: what stands in the code of their first cells. */
function firstCells(heading: string): readonly string[] {
  const section = runbook.split(`### ${heading}\n`)[1]?.split(/^###? /m)[0] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

/** The last words of each call that logs: what every line of its kind has as `msg`. */
function messages(): readonly string[] {
  const folder = join(root, "services/bridge");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .flatMap((text) =>
      text.split(/\blog\.(?:info|warn|error|fatal)\(|makeLog\(\)\.fatal\(/).slice(1),
    )
    .map(
      (call) => /^[^;]*?"([^"]+)",?\s*\);/.exec(call)?.[1] ?? `no message: ${call.slice(0, 60)}`,
    );
}

test("the runbook has every message that the bridge logs, and no other", () => {
  expect(firstCells("What it logs").slice(1).toSorted()).toEqual(
    [...new Set(messages())].toSorted(),
  );
});

test("the runbook has every number of the bridge's own, and no other", async () => {
  const { registry } = new Metrics(records, () => undefined);
  const own = registry.getMetricsAsArray().map(({ name }) => name);
  const named = own.filter((name) => name.startsWith("cc_ci_bridge_"));
  expect(firstCells("Its numbers").toSorted()).toEqual(named.toSorted());
});
