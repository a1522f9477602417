import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { CcCi } from "./app.ts";
import type { NixAttributes } from "./core/nix.ts";
import { isAttributes } from "./core/nix.ts";
import { listOf, type SystemdUnit } from "./nixos/systemd-unit.ts";

/** What can be expected of a unit. Each throws an AssertionError that says what was seen instead. */
export interface UnitExpectation {
  /** It is ordered after that unit, straight or through others. */
  toRunAfter(other: string): void;
  /** It does not start without that unit. */
  toRequire(other: string): void;
  /** These options are among its own, sets compared member by member. */
  toHaveOptions(options: NixAttributes): void;
}

/**
 * Looks up a unit of the tree, for the tests of an operator's own host; works with any test runner.
 * Names may lack the suffix `.service`. With several hosts, `host` says which one is meant.
 */
export function expectUnit(app: CcCi, name: string, host?: string): UnitExpectation {
  const hosts = app.hosts.filter((candidate) => host === undefined || candidate.name === host);
  const units = hosts.flatMap((candidate) => candidate.units);
  const unit = units.find(({ fullName }) => fullName === inFull(name));
  if (unit === undefined) {
    const known = units.map(({ fullName }) => fullName).join(", ");
    throw new AssertionError({ message: `there is no unit ${inFull(name)}; there are ${known}` });
  }
  const graph = hosts.find((candidate) => candidate.units.includes(unit))?.graph();
  return {
    toRunAfter: (other) => {
      const before = reachable(unit.fullName, graph?.edges ?? []);
      expectMember(unit, "runs after", [...before], inFull(other));
    },
    toRequire: (other) =>
      expectMember(unit, "requires", listOf(unit.options.requires), inFull(other)),
    toHaveOptions: (options) => expectOptions(unit, unit.options, options, []),
  };
}

function inFull(name: string): string {
  return /\.(?:service|timer|path|target|socket)$/.test(name) ? name : `${name}.service`;
}

function reachable(
  start: string,
  edges: readonly { readonly from: string; readonly to: string }[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [start];
  for (let from = queue.pop(); from !== undefined; from = queue.pop()) {
    for (const edge of edges) {
      if (edge.from !== from || found.has(edge.to)) continue;
      found.add(edge.to);
      queue.push(edge.to);
    }
  }
  return found;
}

function expectMember(
  unit: SystemdUnit,
  verb: string,
  seen: readonly string[],
  wanted: string,
): void {
  if (seen.includes(wanted)) return;
  const shown = seen.length === 0 ? "nothing" : seen.join(", ");
  throw new AssertionError({
    message: `${unit.fullName} ${verb} ${shown}, and not ${wanted}`,
    actual: seen,
    expected: wanted,
  });
}

function expectOptions(
  unit: SystemdUnit,
  seen: NixAttributes,
  wanted: NixAttributes,
  path: readonly string[],
): void {
  for (const [name, value] of Object.entries(wanted)) {
    const actual = seen[name];
    const place = [...path, name];
    if (isAttributes(actual) && isAttributes(value)) expectOptions(unit, actual, value, place);
    else if (!isDeepStrictEqual(actual, value)) {
      throw new AssertionError({
        message: `${unit.fullName}: ${place.join(".")} is ${JSON.stringify(actual)}, and not ${JSON.stringify(value)}`,
        actual,
        expected: value,
      });
    }
  }
}
