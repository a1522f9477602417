import { expect, test } from "vitest";
import { serviceIn } from "../../../../services/converge/adapters/systemd.ts";

const unit = "cc-ci-traefik.service";

test.each([
  ["of a host with one hierarchy of control groups", `0::/system.slice/${unit}\n`, unit],
  [
    "of a host with several",
    `4:pids:/elsewhere.service\n1:name=systemd:/system.slice/${unit}\n0::/system.slice/${unit}\n`,
    unit,
  ],
  ["of nobody, in a shell", "0::/user.slice/user-0.slice/session-1.scope\n", undefined],
  [
    "of nobody, in a service of a user's own manager",
    `0::/user.slice/user-0.slice/user@0.service/app.slice/${unit}\n`,
    undefined,
  ],
  ["of nobody, below a service", `0::/system.slice/${unit}/payload\n`, undefined],
  ["of nobody, without control groups", "", undefined],
])("a process is %s", (_, cgroups, service) => {
  expect(serviceIn(cgroups)).toBe(service);
});
