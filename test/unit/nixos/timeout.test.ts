import { expect, test } from "vitest";
import { timeoutSeconds } from "../../../constructs/nixos/timeout.ts";
import type { Resource } from "../../../services/converge/desired-state.ts";
import { filesOf, wholeHost } from "./tree.ts";

/** What the unit of a piece says, in seconds. */
function written(files: Readonly<Record<string, string>>, piece: string): number {
  const text = files[`out/one/${piece}.nix`] ?? "";
  return Number(/TimeoutStartSec = "(\d+)s";/.exec(text)?.[1]);
}

function resourcesOf(files: Readonly<Record<string, string>>, piece: string): readonly Resource[] {
  const state: { resources: Resource[] } = JSON.parse(files[`out/one/${piece}.json`] ?? "");
  return state.resources;
}

test("a unit without waits has the time to start the program", () => {
  expect(timeoutSeconds([], 1)).toBe(60);
});

test("every wait of every resource counts", () => {
  const files = filesOf(wholeHost().host);
  const stack = resourcesOf(files, "traefik");
  // Given the bounds as they stand in the desired state, all numbers that are called seconds
  const bounds = (value: unknown): number =>
    typeof value !== "object" || value === null
      ? 0
      : Object.entries(value).reduce(
          (sum, [name, member]) => sum + (/Seconds$/.test(name) ? Number(member) : bounds(member)),
          0,
        );
  // When the timeout is taken, then it is their sum and the margin
  expect(bounds(stack)).toBeGreaterThan(1000);
  expect(timeoutSeconds(stack, 1)).toBe(bounds(stack) + 60);
});

test.each(["swarm", "network-proxy", "retire", "traefik"])(
  "the unit of %s is given that time, twice where a file that changes makes it start over",
  (piece) => {
    const files = filesOf(wholeHost().host);
    expect(written(files, piece)).toBe(
      timeoutSeconds(resourcesOf(files, piece), piece === "traefik" ? 2 : 1),
    );
  },
);
