import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluationFolder } from "./evaluation-folder.ts";
import { samplePiece } from "./sample-piece.ts";
import { unitKeys } from "./unit-keys.ts";

const { evaluateFiles, pathOf } = evaluationFolder();

describe("what is right comes to the text that NixOS would write", () => {
  test("a service as the generator emits it", async () => {
    // given, when
    const { units, failedAssertions, warnings } = await evaluateFiles(samplePiece);
    // then
    expect(failedAssertions).toEqual([]);
    expect(warnings).toEqual([]);
    const unit = units["cc-ci-traefik.service"];
    expect(unit?.wantedBy).toEqual(["cc-ci.target"]);
    expect(unit?.requiredBy).toEqual([]);
    const text = unit?.text.replaceAll(/[0-9a-z]{32}-/g, "").replace(/PATH=[^"]*/, "PATH=…");
    expect(text).toBe(`[Unit]
After=docker.service network-online.target
Description=Converge the Traefik stack
Documentation=https://example.org/a https://example.org/b
OnFailure=cc-ci-alert@%n.service
Requires=docker.service
StartLimitIntervalSec=0
Wants=network-online.target

[Service]
Environment="HOME=/var/lib/cc-ci"
Environment="LOCALE_ARCHIVE=/nix/store/glibc-locales-2.42/lib/locale/locale-archive"
Environment="PATH=…"
Environment="QUOTED=a \\"b\\" \\\\ %h $c"
Environment="TZDIR=/etc/zoneinfo"
ExecStart=/nix/store/converge-1/bin/converge apply /nix/store/traefik.json --slot env-file=/nix/store/traefik.env
NoNewPrivileges=true
StateDirectory=cc-ci/state/traefik
StateDirectory=cc-ci/abra
SuccessExitStatus=75
TimeoutStartSec=12min
Type=oneshot

[Install]
WantedBy=cc-ci.target
`);
  });

  test("a service's PATH ends in the default programs, bin before sbin", async () => {
    // given
    const module = `{ pkgs, ... }: { systemd.services.app.path = [ pkgs.git "/srv/tool" ]; }`;
    // when
    const { units } = await evaluateFiles({ "module.nix": module });
    // then
    const path = unitKeys(units["app.service"]?.text ?? "").get("Service.Environment.PATH")?.[0];
    expect(
      path?.replaceAll(/\/nix\/store\/[0-9a-z]{32}-/g, "").replaceAll(/-[0-9.]+\//g, "/"),
    ).toBe(
      '"PATH=git/bin:/srv/tool/bin:coreutils/bin:findutils/bin:gnugrep/bin:gnused/bin:systemd/bin' +
        ':git/sbin:/srv/tool/sbin:coreutils/sbin:findutils/sbin:gnugrep/sbin:gnused/sbin:systemd/sbin"',
    );
  });

  test("the rest of a host is told too", async () => {
    // given, when
    const evaluation = await evaluateFiles(samplePiece, { unfree: ["drone", "other"] });
    // then
    expect(evaluation.etc["cc-ci/pieces.json"]).toEqual({
      mode: "symlink",
      text: '{"traefik":{"image":"traefik:3","kind":"stack"}}',
    });
    expect(evaluation.tmpfiles).toEqual(["d /var/lib/cc-ci 0700 root root -"]);
    expect(evaluation.firewall).toEqual({
      enable: true,
      backend: "iptables",
      allowedTCPPorts: [80, 443],
      allowedUDPPorts: [],
    });
    expect(evaluation.docker).toMatchObject({ enable: true, liveRestore: false });
    expect(evaluation.docker.settings).toEqual({
      group: "docker",
      hosts: ["fd://"],
      "live-restore": false,
      "log-driver": "journald",
      "default-address-pools": [{ base: "10.64.0.0/12", size: 24 }],
    });
    expect(evaluation.unfree).toEqual({ drone: true, other: false });
  });

  test("every other kind of unit", async () => {
    // given
    const module = `{
      systemd.timers.cc-ci-reconcile = {
        wantedBy = [ "timers.target" ];
        timerConfig = { OnCalendar = "hourly"; Persistent = true; RandomizedDelaySec = 30; };
      };
      systemd.paths.cc-ci-traefik.pathConfig.PathChanged = [ "/a" "/b" ];
      systemd.sockets.cc-ci-run = { listenStreams = [ "/run/a" ]; socketConfig.Accept = true; };
      systemd.slices.cc-ci-runs.sliceConfig.MemoryMax = "2G";
      systemd.targets.cc-ci = { wants = [ "a.service" ]; requiredBy = [ "b.target" ]; };
    }`;
    // when
    const { units } = await evaluateFiles({ "module.nix": module });
    // then
    const texts = Object.fromEntries(
      Object.entries(units).map(([name, unit]) => [name, unit.text] as const),
    );
    expect(texts).toEqual({
      "cc-ci-reconcile.timer":
        "[Unit]\n\n[Timer]\nOnCalendar=hourly\nPersistent=true\nRandomizedDelaySec=30\n\n\n[Install]\nWantedBy=timers.target\n",
      "cc-ci-traefik.path": "[Unit]\n\n[Path]\nPathChanged=/a\nPathChanged=/b\n\n",
      "cc-ci-run.socket": "[Unit]\n\n[Socket]\nAccept=true\n\nListenStream=/run/a\n\n",
      "cc-ci-runs.slice": "[Unit]\n\n[Slice]\nMemoryMax=2G\n\n",
      "cc-ci.target": "[Unit]\nWants=a.service\n\n",
    });
    expect(units["cc-ci.target"]?.requiredBy).toEqual(["b.target"]);
  });

  test("startAt makes a timer, which merges with one of the same name", async () => {
    // given
    const module = `{
      systemd.services.app.startAt = "daily";
      systemd.timers.app.timerConfig.Persistent = true;
    }`;
    // when
    const { units } = await evaluateFiles({ "module.nix": module });
    // then
    expect(units["app.timer"]).toEqual({
      text: "[Unit]\n\n[Timer]\nOnCalendar=daily\nPersistent=true\n\n\n[Install]\nWantedBy=timers.target\n",
      wantedBy: ["timers.target"],
      requiredBy: [],
    });
  });

  test("mkForce wins over plain, plain over mkDefault, and a false mkIf says nothing", async () => {
    // given
    const files = {
      "a.nix": `{ config, lib, ... }: {
        config = lib.mkMerge [
          { networking.hostName = lib.mkDefault "weak"; }
          (lib.mkIf config.networking.firewall.enable { networking.domain = lib.mkForce "forced"; })
          (lib.mkIf false { networking.hostName = lib.mkForce "never"; })
        ];
      }`,
      "b.nix": `{ networking.hostName = "plain"; networking.domain = "plain"; }`,
      "c.nix": `{ config, ... }: {
        environment.etc.names.text = "\${config.networking.hostName} \${config.networking.domain}";
      }`,
    };
    // when
    const { etc } = await evaluateFiles(files);
    // then
    expect(etc.names?.text).toBe("plain forced");
  });

  test("a file that two modules import counts once", async () => {
    // given
    const files = {
      "a.nix": "{ imports = [ ./imported/list.nix ]; }",
      "b.nix": "{ imports = [ ./imported/list.nix ]; }",
      "imported/list.nix":
        '{ networking.firewall.trustedInterfaces = [ ]; systemd.tmpfiles.rules = [ "d /a" ]; }',
    };
    // when
    const { tmpfiles } = await evaluateFiles(files);
    // then
    expect(tmpfiles).toEqual(["d /a"]);
  });

  test("files of the modules are put into a store of the test's own when asked", async () => {
    // given
    const store = pathOf("store");
    // when
    const { units } = await evaluateFiles(samplePiece, { store });
    // then
    const path = /apply (\S+)/.exec(units["cc-ci-traefik.service"]?.text ?? "")?.[1] ?? "";
    expect(path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-traefik\.json$/);
    expect(await readFile(join(store, path), "utf8")).toBe(samplePiece["traefik.json"]);
  });

  test("a host can put its own stand-ins in the place of packages", async () => {
    // given
    const module = `{ lib, ... }: {
      cc-ci.packages.converge = lib.mkForce {
        type = "derivation";
        name = "converge";
        outPath = "/usr";
        meta.mainProgram = "converge";
      };
    }`;
    // when
    const { units } = await evaluateFiles({ ...samplePiece, "stand-in.nix": module });
    // then
    expect(units["cc-ci-traefik.service"]?.text).toContain("ExecStart=/usr/bin/converge apply");
  });
});
