import { expect, test } from "vitest";
import { isoOf, serviceIn, timeIn } from "../../../../services/converge/adapters/systemd.ts";

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

test.each([
  ["Sat 2026-11-28 19:54:31.123456 UTC\n", "2026-11-28T19:54:31.123Z"],
  ["Sat 2026-11-28 19:54:31.000000 UTC\n", "2026-11-28T19:54:31.000Z"],
  ["\n", "1970-01-01T00:00:00.000Z"],
  ["n/a\n", "1970-01-01T00:00:00.000Z"],
])("the time in %j is %s", (text, time) => {
  expect(timeIn(text).toISOString()).toBe(time);
});

test.each([
  ["@1767225600", "2026-01-01T00:00:00.000Z"],
  ["@0", null],
  ["", null],
  ["n/a", null],
])("the moment %j is %s", (timestamp, iso) => {
  expect(isoOf(timestamp)).toBe(iso);
});
