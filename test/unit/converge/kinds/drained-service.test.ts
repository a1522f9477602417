import { describe, expect, test } from "vitest";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import {
  planService,
  type ServiceSight,
} from "../../../../services/converge/kinds/drained-service.ts";

const resource: ResourceOf<"drained-service"> = {
  ...{ kind: "drained-service", unit: "cc-ci-runner.service", settings: "0123456789ab" },
  program: { slot: "runner" },
  ...{ files: ["/var/lib/cc-ci/secrets/drone-rpc-secret"], waitSeconds: 60 },
};

const marks = ["0123456789ab", "/nix/store/1-runner"];

const up: ServiceSight = {
  state: "active",
  command: "/nix/store/1-runner/bin/drone-runner-exec daemon /run/cc-ci-runner/0123456789ab",
  started: new Date(),
  changed: [],
  holder: undefined,
};

describe("a service that ends what it has begun", () => {
  test.for<[string, Partial<ServiceSight>, string | undefined]>([
    ["with these settings is left alone", {}, undefined],
    ["that does not run is started", { state: "inactive", command: "" }, "service start"],
    ["that failed is started", { state: "failed", command: "" }, "service start"],
    [
      "with other settings starts anew",
      { command: up.command.replace("0123", "f123") },
      "service restart",
    ],
    [
      "of another package starts anew",
      { command: up.command.replace("1-runner", "2-runner") },
      "service restart",
    ],
    ["that read an older file starts anew", { changed: resource.files }, "service restart"],
    [
      "that is about to end is left to it",
      { state: "deactivating", changed: resource.files },
      undefined,
    ],
    [
      "that is to take nothing for now is not started",
      { state: "inactive", command: "", holder: 7 },
      undefined,
    ],
    [
      "that is to take nothing for now is not ended twice",
      { changed: ["/a"], holder: 7 },
      undefined,
    ],
    ["that is about to be up is waited for", { state: "activating", command: "" }, undefined],
  ])("%s", ([, sight, verb]) => {
    const calls = planService(resource, marks, { ...up, ...sight }, async () => undefined);
    expect(calls.map((call) => call.verb)).toEqual(verb === undefined ? [] : [verb]);
  });
});
