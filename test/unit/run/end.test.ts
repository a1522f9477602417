import { describe, expect, test } from "vitest";
import { abortReason } from "../../../services/run/commands/end.ts";
import { procsFile } from "../../../services/run/own-group.ts";

test.for<[string, Record<string, string>, boolean, string]>([
  [
    "its time was over",
    { SERVICE_RESULT: "timeout", EXIT_CODE: "exited", EXIT_STATUS: "0" },
    false,
    "it took longer than it may",
  ],
  [
    "its time was over while it was cancelled",
    { SERVICE_RESULT: "timeout", EXIT_CODE: "killed", EXIT_STATUS: "KILL" },
    true,
    "it took longer than it may",
  ],
  [
    "it was cancelled",
    { SERVICE_RESULT: "success", EXIT_CODE: "exited", EXIT_STATUS: "0" },
    true,
    "it was cancelled: who asked for it went away",
  ],
  [
    "it was killed",
    { SERVICE_RESULT: "signal", EXIT_CODE: "killed", EXIT_STATUS: "KILL" },
    false,
    "its service was killed by SIGKILL",
  ],
  [
    "there was no memory left",
    { SERVICE_RESULT: "oom-kill", EXIT_CODE: "killed", EXIT_STATUS: "KILL" },
    false,
    "the host had no memory left for it",
  ],
  [
    "its service failed",
    { SERVICE_RESULT: "exit-code", EXIT_CODE: "exited", EXIT_STATUS: "1" },
    false,
    "its service failed (exit-code, status 1)",
  ],
  [
    "it ended by itself",
    { SERVICE_RESULT: "success", EXIT_CODE: "exited", EXIT_STATUS: "0" },
    false,
    "it ended without results, or was stopped on the host",
  ],
])("a run without results is said to be aborted since %s", ([, environment, cancelled, reason]) => {
  expect(abortReason(environment, cancelled)).toBe(reason);
});

describe("the processes that end with a run", () => {
  const slice = "/system.slice/system-cc\\x2dci\\x2drun.slice";

  test.for([
    ["of version 2", `0::${slice}/cc-ci-run@3-12-990.service\n`, "/sys/fs/cgroup"],
    [
      "of version 1",
      `2:cpu:/\n1:name=systemd:${slice}/cc-ci-run@3-12-990.service\n0::/\n`,
      "/sys/fs/cgroup/systemd",
    ],
  ])("are those of its service's control group, %s", ([, text = "", mount]) => {
    expect(procsFile(text)).toBe(`${mount}${slice}/cc-ci-run@3-12-990.service/cgroup.procs`);
  });

  test.for([
    ["of another service", "0::/system.slice/docker.service\n"],
    ["of a group above", `0::${slice}\n`],
    ["of a group below", `0::${slice}/cc-ci-run@1.service/payload\n`],
    ["of none", "0::/\n"],
    ["of a name that looks like it", "0::/user.slice/not-cc-ci-run@1.service\n"],
    ["of nobody", ""],
  ])("are none %s", ([, text = ""]) => {
    expect(procsFile(text)).toBeUndefined();
  });
});
