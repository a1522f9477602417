import { expect, test } from "vitest";
import { expectUnit } from "../../constructs/index.ts";
import { app } from "./host.ts";

test("Traefik runs after the network that it serves, and needs it", () => {
  expectUnit(app, "cc-ci-traefik").toRunAfter("cc-ci-network-proxy");
  expectUnit(app, "cc-ci-traefik").toRequire("cc-ci-network-proxy");
});

test("the wiki waits for everything below it, and does not stop when Traefik fails", () => {
  expectUnit(app, "cc-ci-app-wiki").toRunAfter("cc-ci-swarm");
  expectUnit(app, "cc-ci-app-wiki").toRunAfter("docker.service");
  expect(() => expectUnit(app, "cc-ci-app-wiki").toRequire("cc-ci-traefik")).toThrow(
    "cc-ci-app-wiki.service requires cc-ci-network-proxy.service, and not cc-ci-traefik.service",
  );
});

test("the override lies over the unit's own options and leaves the rest", () => {
  expectUnit(app, "cc-ci-traefik").toHaveOptions({
    serviceConfig: { Nice: 5, Type: "oneshot" },
  });
});
