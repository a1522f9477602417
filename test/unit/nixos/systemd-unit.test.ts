import { expect, test } from "vitest";
import type { NixAttributes } from "../../../constructs/core/nix.ts";
import { addApp, filesOf, problemsOf, wholeHost } from "./tree.ts";

test("references become the order of units, the strongest need of each", () => {
  const tree = wholeHost();
  const { unit } = addApp(tree);
  expect(unit.options).toMatchObject({
    after: ["cc-ci-network-proxy.service", "cc-ci-retire.service", "cc-ci-traefik.service"],
    requires: ["cc-ci-network-proxy.service"],
    wants: ["cc-ci-traefik.service"],
  });
  // When a weaker and a stronger need come on top
  unit.needs(tree.network, "after");
  unit.needs(tree.proxy, "requires");
  // Then the weaker one changes nothing
  expect(unit.options).toMatchObject({
    requires: ["cc-ci-network-proxy.service", "cc-ci-traefik.service"],
  });
  expect(unit.options.wants).toBeUndefined();
});

test("an override merges sets, replaces lists and takes away what is null", () => {
  const { proxy } = wholeHost();
  const before = proxy.unit.options.serviceConfig as NixAttributes;
  proxy.unit.override({
    description: "Mine",
    path: [],
    serviceConfig: { Nice: 5, UMask: null, SuccessExitStatus: [75, 76] },
  });
  const { options } = proxy.unit;
  const { UMask: _, ...rest } = before;
  expect(options.serviceConfig).toEqual({ ...rest, Nice: 5, SuccessExitStatus: [75, 76] });
  expect(options).toMatchObject({ description: "Mine", path: [] });
});

test("an override takes away an option of the unit itself", () => {
  const { proxy } = wholeHost();
  proxy.unit.override({ environment: null });
  expect(proxy.unit.options.environment).toBeUndefined();
});

test("an override takes away what an earlier one did not", () => {
  const { proxy } = wholeHost();
  proxy.unit.override({ serviceConfig: { Nice: 5 } });
  proxy.unit.override({ serviceConfig: { UMask: null } });
  expect(proxy.unit.options.serviceConfig).not.toHaveProperty("UMask");
});

test("overrides add up, the last one wins, and what was asked for is kept to be listed", () => {
  const { proxy } = wholeHost();
  proxy.unit.override({ serviceConfig: { Nice: 5, CPUWeight: 10 } });
  proxy.unit.override({ serviceConfig: { Nice: 7 } });
  expect(proxy.unit.overrides).toEqual([
    { serviceConfig: { Nice: 5, CPUWeight: 10 } },
    { serviceConfig: { Nice: 7 } },
  ]);
});

test("an override ends up in the module", () => {
  const { host, proxy } = wholeHost();
  expect(filesOf(host)["out/one/traefik.nix"]).not.toContain("Nice");
  proxy.unit.override({ serviceConfig: { Nice: 5 } });
  expect(filesOf(host)["out/one/traefik.nix"]).toContain("\n      Nice = 5;\n");
});

test("a unit that an override names must be named in full", () => {
  const { host, proxy } = wholeHost();
  proxy.unit.override({ after: ["docker", "fine.service"], wants: ["a b.service"] });
  expect(problemsOf(host)).toEqual([
    'one/traefik/piece/unit: after: "docker" is no unit name: write it in full, as in docker.service',
    'one/traefik/piece/unit: wants: "a b.service" is no unit name: write it in full, as in docker.service',
  ]);
});

test("units that wait for each other through an override are refused with the whole circle", () => {
  const { host, swarm } = wholeHost();
  swarm.unit.override({ after: ["cc-ci-traefik.service"] });
  expect(problemsOf(host)).toEqual([
    "one: the units wait for each other in a circle: cc-ci-network-proxy.service → cc-ci-retire.service → cc-ci-swarm.service → cc-ci-traefik.service → cc-ci-network-proxy.service: take one of these references away",
  ]);
});

test("a unit that waits for itself is refused", () => {
  const { host, swarm } = wholeHost();
  swarm.unit.override({ before: ["cc-ci-swarm.service"] });
  expect(problemsOf(host)).toEqual([
    "one: the units wait for each other in a circle: cc-ci-swarm.service → cc-ci-swarm.service: take one of these references away",
  ]);
});
