import { describe, expect, test } from "vitest";
import { statusOf } from "../../../services/converge/commands/status.ts";
import type { LastEnd } from "../../../services/converge/engine/last-end.ts";

const unit = {
  Id: "cc-ci-traefik.service",
  LoadState: "loaded",
  ActiveState: "inactive",
  Result: "success",
  ExecMainStartTimestamp: "@1767225590",
  ExecMainExitTimestamp: "@1767225600",
};

const converged: LastEnd = {
  version: 1,
  outcome: "converged",
  since: "2025-12-01T00:00:00.000Z",
  at: "2026-01-01T00:00:00.500Z",
  calls: 0,
  seconds: 0.4,
  line: null,
};

const failed: LastEnd = { ...converged, outcome: "failed", line: { id: "x", text: "it broke" } };

describe("the state of a piece", () => {
  test.each([
    ["is what its last run came to", unit, converged, "converged", converged.since],
    ["keeps the line that it failed with", unit, failed, "failed", converged.since],
    [
      "of before the boot counts",
      { ...unit, ExecMainExitTimestamp: "" },
      converged,
      "converged",
      converged.since,
    ],
    [
      "is running while it does",
      { ...unit, ActiveState: "activating" },
      converged,
      "running",
      "2025-12-31T23:59:50.000Z",
    ],
    ["is unknown before the first run", unit, undefined, "never run", null],
    [
      "is interrupted when the run was killed",
      { ...unit, Result: "signal", ExecMainExitTimestamp: "@1767225700" },
      converged,
      "interrupted",
      "2026-01-01T00:01:40.000Z",
    ],
    [
      "is interrupted when the first run was killed",
      { ...unit, Result: "timeout" },
      undefined,
      "interrupted",
      "2026-01-01T00:00:00.000Z",
    ],
    ["needs a unit", { ...unit, LoadState: "not-found" }, converged, "no unit", null],
  ] as const)("%s", (_, now, last, state, since) => {
    const status = statusOf("traefik", "cc-ci-traefik.service", now, last);
    expect([status.state, status.since]).toEqual([state, since]);
  });
});
