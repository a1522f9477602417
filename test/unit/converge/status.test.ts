import { describe, expect, test } from "vitest";
import type { UnitState } from "../../../services/converge/adapters/systemd.ts";
import {
  doesNotGetThrough,
  downSince,
} from "../../../services/converge/commands/required-units.ts";
import { statusOf, withBlocked } from "../../../services/converge/commands/status.ts";
import type { LastEnd } from "../../../services/converge/engine/last-end.ts";

const unit: UnitState = {
  Id: "cc-ci-traefik.service",
  LoadState: "loaded",
  ActiveState: "inactive",
  StateChangeTimestamp: "@1767225600",
  Job: "",
  Type: "oneshot",
  Result: "success",
  ExecMainStartTimestamp: "@1767225590",
  ExecMainExitTimestamp: "@1767225600",
  Requires: [],
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
    [
      "is failed when the run could not write down its end",
      {
        ...unit,
        Result: "exit-code",
        ExecMainStartTimestamp: "@1767225690",
        ExecMainExitTimestamp: "@1767225700",
      },
      converged,
      "failed",
      "2026-01-01T00:01:40.000Z",
    ],
    ["needs a unit", { ...unit, LoadState: "not-found" }, converged, "no unit", null],
  ] as const)("%s", (_, now, last, state, since) => {
    const status = statusOf("traefik", "cc-ci-traefik.service", now, {
      last,
      begun: undefined,
    });
    expect([status.state, status.since]).toEqual([state, since]);
  });
});

describe("a run that the machine went down under", () => {
  const begun = "2026-01-01T02:00:00.000Z";
  const rebooted = { ...unit, ExecMainStartTimestamp: "", ExecMainExitTimestamp: "" };

  test("is interrupted since it began, though systemd knows nothing of it", () => {
    const status = statusOf("traefik", "cc-ci-traefik.service", rebooted, {
      last: converged,
      begun,
    });
    expect([status.state, status.since]).toEqual(["interrupted", begun]);
    expect(status.line?.id).toBe("run-cut-short");
  });

  test("is interrupted, and not one that never ran, when it was the first", () => {
    const record = { last: undefined, begun };
    const { state } = statusOf("traefik", "cc-ci-traefik.service", rebooted, record);
    expect(state).toBe("interrupted");
  });

  test("is no news while the next one runs", () => {
    const now = { ...unit, ActiveState: "activating" };
    const { state } = statusOf("traefik", "cc-ci-traefik.service", now, { last: converged, begun });
    expect(state).toBe("running");
  });
});

describe("a run that left its beginning and no end", () => {
  const begun = "2026-01-01T02:00:00.700Z";
  const seen: UnitState = {
    ...unit,
    ExecMainStartTimestamp: "@1767232800",
    ExecMainExitTimestamp: "@1767232800",
  };
  const booted: UnitState = { ...unit, ExecMainStartTimestamp: "", ExecMainExitTimestamp: "" };
  const later: LastEnd = { ...converged, at: "2026-01-01T02:00:05.000Z" };

  test.each([
    ["failed, when systemd saw it fail", { ...seen, Result: "exit-code" }, converged, "failed"],
    [
      "failed, when systemd saw it fail and it was the first",
      { ...seen, Result: "exit-code" },
      undefined,
      "failed",
    ],
    [
      "was killed, when systemd saw that",
      { ...seen, Result: "signal" },
      converged,
      "interrupted (signal)",
    ],
    [
      "was killed, when systemd saw that in the second of the end before",
      { ...seen, Result: "signal" },
      { ...converged, at: "2026-01-01T02:00:00.300Z" },
      "interrupted (signal)",
    ],
    [
      "did not get through, when systemd was told to forget how it ended",
      seen,
      converged,
      "interrupted (unwritten)",
    ],
    [
      "went down with the machine, when systemd knows of none",
      booted,
      converged,
      "interrupted (shutdown)",
    ],
    [
      "went down with the machine, when systemd knows of an older one alone",
      unit,
      converged,
      "interrupted (shutdown)",
    ],
    ["ended, when its end was written later", seen, later, "converged"],
    ["ended, when its end was written before a boot", booted, later, "converged"],
  ] as const)("%s", (_, now, last, expected) => {
    const status = statusOf("traefik", "cc-ci-traefik.service", now, { last, begun });
    const result = /\(\w+\)/.exec(status.line?.text ?? "")?.[0];
    expect([status.state, ...(result === undefined ? [] : [result])].join(" ")).toBe(expected);
  });

  test("is told as one whose end is not known when systemd saw it fail", () => {
    const now = { ...seen, Result: "exit-code" };
    const { line } = statusOf("traefik", "cc-ci-traefik.service", now, { last: converged, begun });
    expect(line?.id).toBe("end-unknown");
  });
});

describe("a piece whose needed one did not get through", () => {
  const piece = (name: string, state: "converged" | "failed" | "pending", at: string) => {
    return { piece: name, unit: name, state, since: at, lastEnd: at, line: null } as const;
  };
  const states = (...[first, second, third]: readonly ("converged" | "failed" | "pending")[]) =>
    withBlocked(
      [
        piece("swarm", first ?? "converged", "2026-01-02T00:00:00.000Z"),
        piece("network", second ?? "converged", "2026-01-01T00:00:00.000Z"),
        piece("app", third ?? "converged", "2026-01-01T00:00:01.000Z"),
      ],
      [["docker"], ["swarm"], ["network"]],
    ).map(({ state, since }) => `${state} ${since?.slice(0, 10)}`);

  test("is blocked since then, and so is what needs it", () => {
    const since = "2026-01-02";
    expect(states("failed")).toEqual([`failed ${since}`, `blocked ${since}`, `blocked ${since}`]);
  });

  test("is what its own run came to when that was later", () => {
    expect(states("converged", "failed")).toEqual([
      ...["converged 2026-01-02", "failed 2026-01-01", "converged 2026-01-01"],
    ]);
  });

  const swarmUnder = (down: ReadonlyMap<string, string | null>, end = "2025-12-31") =>
    withBlocked(
      [piece("swarm", "converged", `${end}T00:00:00.000Z`), piece("app", "converged", end)],
      [["docker.service"], ["swarm"]],
      down,
    );

  test("is blocked by a unit that is no piece, such as Docker's", () => {
    const since = "2026-01-01T00:00:00.000Z";
    const [swarm, app] = swarmUnder(new Map([["docker.service", since]]));
    expect([swarm?.state, swarm?.since]).toEqual(["blocked", since]);
    expect([app?.state, app?.since]).toEqual(["blocked", since]);
    expect(swarm?.line?.text).toContain("since docker.service, which it needs");
  });

  test("is blocked, nobody knows since when, by one of which systemd knows no time", () => {
    const [swarm, app] = swarmUnder(new Map([["docker.service", null]]));
    expect([swarm?.state, swarm?.since]).toEqual(["blocked", null]);
    expect([app?.state, app?.line?.text]).toEqual(["blocked", expect.stringContaining("swarm")]);
  });

  test("is what its own run came to when that ended after Docker had", () => {
    const down = new Map([["docker.service", "2026-01-01T00:00:00.000Z"]]);
    expect(swarmUnder(down, "2026-01-02")[0]?.state).toBe("converged");
  });

  test("is what its own run came to when Docker is up", () => {
    expect(swarmUnder(new Map()).map(({ state }) => state)).toEqual(["converged", "converged"]);
  });

  test("is started after one that is pending", () => {
    expect(states("pending").slice(1)).toEqual(["converged 2026-01-01", "converged 2026-01-01"]);
  });
});

describe("a unit that is no piece", () => {
  const docker: UnitState = { ...unit, Id: "docker.service", Type: "notify" };
  const since = "2026-01-01T00:00:00.000Z";
  const [known, unknown, up] = [[["docker.service", since]], [["docker.service", null]], []];

  test.each([
    ["is not down while it is active", { ActiveState: "active" }, up],
    ["is not down while it starts", { ActiveState: "activating" }, up],
    ["is not down while it reads its settings again", { ActiveState: "reloading" }, up],
    ["is down when it failed", { ActiveState: "failed" }, known],
    [
      "is down when it failed before its main process ran",
      { ActiveState: "failed", ExecMainStartTimestamp: "", ExecMainExitTimestamp: "" },
      known,
    ],
    ["is down when it was stopped", {}, known],
    ["is down when it was not started since the boot", { StateChangeTimestamp: "" }, unknown],
    ["is not down before its turn at a boot", { StateChangeTimestamp: "", Job: "71" }, up],
    ["is not down between a failure and the next try", { ActiveState: "failed", Job: "71" }, up],
    ["is down when it is masked", { LoadState: "masked" }, unknown],
    ["is down when it is masked and runs", { LoadState: "masked", ActiveState: "active" }, unknown],
    ["is down when there is none of that name", { LoadState: "not-found" }, unknown],
    ["is not down when it is a oneshot that ended", { Type: "oneshot" }, up],
    ["is down when it is a oneshot that failed", { Type: "oneshot", ActiveState: "failed" }, known],
  ])("%s", (_, state, down) => {
    expect([...downSince([{ ...docker, ...state }])]).toEqual(down);
  });

  test.each([
    ["stops a plan when it failed", { ActiveState: "failed" }, true],
    ["stops a plan when it is masked", { LoadState: "masked" }, true],
    ["is started for a plan when it was stopped", {}, false],
    ["is asked by a plan while it starts", { ActiveState: "activating" }, false],
  ])("%s", (_, state, stops) => {
    expect(doesNotGetThrough({ ...docker, ...state })).toBe(stops);
  });
});
