import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { beforeEach, describe, expect, test } from "vitest";
import { requireTool } from "../tools.ts";
import { verifyUnits } from "./systemd-verify.ts";

beforeEach((context) => {
  requireTool(context, "systemd-analyze");
});

const store = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz";

const service = `[Unit]
Description=Co-op Cloud CI: Traefik
After=docker.service cc-ci-swarm.service cc-ci-network-proxy.service
Requires=docker.service cc-ci-swarm.service
Wants=network-online.target
RequiresMountsFor=/var/lib/docker
StartLimitIntervalSec=0

[Service]
Type=oneshot
Environment="PATH=${store}-coreutils-9.5/bin:${store}-git-2.47/bin"
ExecStart=${store}-converge/bin/converge apply ${store}-traefik.json --slot image=%n --state %S/cc-ci
ExecStopPost=-${store}-converge/bin/converge note
StateDirectory=cc-ci/state/traefik
StateDirectoryMode=0700
RuntimeDirectory=%N
SuccessExitStatus=75
TimeoutStartSec=12min 30s
PrivateTmp=true
ProtectSystem=strict
SystemCallFilter=@system-service
LoadCredential=token:/var/lib/cc-ci/secrets/token
SyslogIdentifier=cc-ci-traefik
`;

const good = {
  "cc-ci.target": `[Unit]
Description=Co-op Cloud CI
Wants=cc-ci-traefik.service

[Install]
WantedBy=multi-user.target
`,
  "cc-ci-traefik.service": service,
  "cc-ci-swarm.service": `[Service]
Type=oneshot
ExecStart=${store}-converge/bin/converge apply ${store}-swarm.json
`,
  "cc-ci-traefik.path": `[Unit]
After=-.mount

[Path]
PathChanged=/var/lib/ci-certs/live/fullchain.pem

[Install]
WantedBy=paths.target
`,
  "cc-ci-reconcile.timer": `[Timer]
OnCalendar=*-*-* 04:00:00
RandomizedDelaySec=10min
Persistent=true
Unit=cc-ci-traefik.service

[Install]
WantedBy=timers.target
`,
  "cc-ci-run.socket": `[Socket]
ListenStream=/run/cc-ci/run.sock
Accept=yes
MaxConnections=2
SocketGroup=drone
RemoveOnStop=true
`,
  "cc-ci-run@.service": `[Unit]
CollectMode=inactive-or-failed

[Service]
ExecStart=${store}-harness/bin/harness %i
StandardInput=socket
RuntimeMaxSec=1h
`,
};

describe("says nothing about", () => {
  test("a set of units that hangs together", async () => {
    expect(await verifyUnits(good)).toBe("");
  });

  test("a unit whose neighbours are not among them", async () => {
    expect(await verifyUnits({ "cc-ci-traefik.service": service })).toBe("");
  });

  test("foreign units of every kind", async () => {
    const names = [
      "docker.service",
      "docker.socket",
      "fstrim.timer",
      "foreign.path",
      "var-lib-docker.mount",
      "proc-sys-fs-binfmt_misc.automount",
      "srv-a\\x2db.mount",
      "system-foreign.slice",
      "getty@tty1.service",
      "local-fs.target",
    ];
    const unit = `[Unit]
Requires=${names.join(" ")}
After=${names.join(" ")}

[Service]
ExecStart=${store}-x/bin/x
`;
    expect(await verifyUnits({ "a.service": unit })).toBe("");
  });

  test("a package that is named by itself and with a program in it", async () => {
    const unit = `[Service]
WorkingDirectory=${store}-x
Environment=HOME_OF_X=${store}-x
ExecStart=${store}-x/bin/x
`;
    expect(await verifyUnits({ "a.service": unit })).toBe("");
  });
});

describe("complains about", () => {
  const oneshot = (line: string): string => `[Service]
Type=oneshot
ExecStart=${store}-x/bin/x
${line}
`;

  test.each([
    ["an unknown key", oneshot("TimeoutStartSecs=1"), "a.service:4: Unknown key"],
    ["a key of another section", oneshot("After=b.service"), "a.service:4: Unknown key"],
    ["a bad value", oneshot("TimeoutStartSec=soon"), "a.service:4: Failed to parse"],
    ["a type that does not exist", oneshot("Type=oneshoot"), "a.service:4: Failed to parse"],
    ["an unknown section", oneshot("[Servise]\nRestart=no"), "a.service:4: Unknown section"],
    ["an unknown system call group", oneshot("SystemCallFilter=@nope"), "a.service:4:"],
    ["a line that is no assignment", oneshot("Restart"), "a.service:4: Missing '='"],
    ["a relative dependency", oneshot("[Unit]\nAfter=b"), "a.service:5:"],
    [
      "a program that is searched for",
      oneshot("ExecStop=-sh -c true"),
      "a.service: ExecStop=-sh -c true: not an absolute path",
    ],
    ["a missing ExecStart", "[Service]\nType=oneshot\n", "Service has no ExecStart="],
    ["a relative ExecStart", "[Service]\nExecStart=bin/converge apply\n", "a.service:2:"],
    [
      "an ExecStart without a path",
      "[Service]\nExecStart=cc-ci-x\n",
      "Command cc-ci-x is not executable",
    ],
    [
      "a program that is not there",
      "[Service]\nExecStart=/nowhere/x\n",
      "/nowhere/x is not executable",
    ],
    [
      "a second ExecStart of a plain service",
      "[Service]\nExecStart=/bin/sh\nExecStart=/bin/sh\n",
      "a.service: Service has more than one ExecStart=",
    ],
    ["an unknown specifier", "[Service]\nExecStart=/bin/sh %Q\n", "a.service:2:"],
  ])("%s", async (_, text, complaint) => {
    expect(await verifyUnits({ "a.service": text })).toContain(complaint);
  });

  test("a bad calendar", async () => {
    const timer = "[Timer]\nOnCalendar=hurly\nUnit=docker.service\n";
    expect(await verifyUnits({ "a.timer": timer })).toContain(
      "a.timer:2: Failed to parse calendar",
    );
  });

  test("a bad path", async () => {
    const path = "[Path]\nPathChanged=etc/passwd\nUnit=docker.service\n";
    expect(await verifyUnits({ "a.path": path })).toContain("a.path:2:");
  });

  test("units that wait for each other", async () => {
    const waitsFor = (name: string): string =>
      `[Unit]\nAfter=${name}\nRequires=${name}\n\n${oneshot("")}`;
    const units = { "a.service": waitsFor("b.service"), "b.service": waitsFor("a.service") };
    expect(await verifyUnits(units)).toContain("ordering cycle");
  });

  test.each([
    ["a.timer", "[Timer]\nOnCalendar=daily\n", "a.timer: starts a.service"],
    ["a.path", "[Path]\nPathExists=/a\n", "a.path: starts a.service"],
    ["a.socket", "[Socket]\nListenStream=/run/a\nAccept=yes\n", "a.socket: starts a@.service"],
  ])("%s that has nothing to start", async (name, text, complaint) => {
    expect(await verifyUnits({ [name]: text })).toContain(complaint);
  });
});

test("names units and programs as they were given, and leaves nothing behind", async () => {
  const before = leftovers();
  const output = await verifyUnits({
    "a.service": `[Service]\nExecStart=${store}-x/bin/x\nNo=1\n`,
  });
  expect(output).toMatch(/^a\.service:3: Unknown key .*No.* in section .*Service.*, ignoring\.\n$/);
  expect(leftovers()).toEqual(before);
});

function leftovers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("cc-ci-units-"));
}
