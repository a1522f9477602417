import { describe, expect, test } from "vitest";
import { requireNixpkgs } from "../tools.ts";
import { evaluationFolder } from "./evaluation-folder.ts";
import { samplePiece } from "./sample-piece.ts";
import { unitDifferences } from "./unit-keys.ts";

const { evaluateFiles } = evaluationFolder();

describe("the real NixOS agrees", () => {
  /** What every service gets from NixOS itself, and so differs from release to release. */
  const notOurs = [
    "Service.Environment.LOCALE_ARCHIVE",
    "Service.Environment.TZDIR",
    // Releases before 22.05 write no [Install]; wantedBy itself is compared.
    "Install.WantedBy",
  ];

  const agreed: readonly (readonly [sentence: string, files: Readonly<Record<string, string>>])[] =
    [
      ["on what the generator emits", samplePiece],
      [
        "on quoting, lists and types of values",
        {
          "module.nix": `{ pkgs, ... }: {
          systemd.services.app = {
            description = "A \\"b\\" 'c' \\\\ %n é";
            path = [ pkgs.git "/srv/tool" ];
            environment = { A = "a\\tb\\nc"; B = ./data.json; C = pkgs.jq; D = null; E = "%% %n \${"$"}{x}"; };
            serviceConfig = {
              Type = "exec";
              ExecStart = [ "" "/bin/a \\"b c\\"" ];
              Nice = 5;
              CPUWeight = 50;
              PrivateTmp = true;
              ProtectHome = false;
              ReadOnlyPaths = [ "/a" ./data.json ];
              LoadCredential = [ ];
            };
            unitConfig = { RequiresMountsFor = [ "/a" "/b" ]; X-Note = 1; };
            restartIfChanged = false;
            stopIfChanged = false;
          };
        }`,
          "data.json": "{}",
        },
      ],
      [
        "on every list of units",
        {
          "module.nix": `{
          systemd.services.app = {
            wantedBy = [ "a.target" "b.target" ];
            requiredBy = [ "c.service" ];
            after = [ "a.service" "b@x.service" ];
            before = [ "a.socket" ];
            requires = [ "a.mount" ];
            wants = [ "a.path" ];
            partOf = [ "a.slice" ];
            bindsTo = [ "sys-a.device" ];
            conflicts = [ "a.timer" ];
            requisite = [ "a.swap" ];
            onFailure = [ "alert@%n.service" ];
            onSuccess = [ "next.service" ];
            documentation = [ "man:a" "https://example.org" ];
            startLimitBurst = 3;
            startLimitIntervalSec = 60;
            reloadIfChanged = true;
          };
        }`,
        },
      ],
      [
        "on merging several modules",
        {
          "a.nix": `{ config, lib, ... }: {
          imports = [ ./imported/c.nix ];
          systemd.services.app = lib.mkMerge [
            {
              after = [ "a.service" ];
              serviceConfig = { Nice = lib.mkDefault 1; ExecStartPre = [ "/a" ]; User = "x"; };
            }
            (lib.mkIf config.networking.firewall.enable { after = lib.mkBefore [ "first.service" ]; })
            (lib.mkIf (!config.networking.firewall.enable) { after = [ "never.service" ]; })
          ];
        }`,
          "b.nix": `{ lib, ... }: {
          systemd.services.app = {
            after = lib.mkAfter [ "last.service" ];
            serviceConfig = { Nice = 2; ExecStartPre = [ "/b" ]; User = lib.mkForce "y"; };
            environment.A = lib.mkOverride 90 "strong";
          };
        }`,
          "imported/c.nix": `{
          systemd.services.app = {
            after = [ "c.service" ];
            environment.A = "weak";
            serviceConfig = { ExecStartPre = [ "/c" ]; User = "x"; };
          };
          systemd.tmpfiles.rules = [ "d /a" ];
          environment.etc."a/b".text = "text\\n";
        }`,
        },
      ],
      [
        "on every other kind of unit",
        {
          "module.nix": `{
          systemd.services.app.startAt = [ "daily" "weekly" ];
          systemd.timers.app.timerConfig = { Persistent = true; AccuracySec = "1s"; };
          systemd.paths.watch = {
            description = "Watch";
            wantedBy = [ "paths.target" ];
            pathConfig = { PathChanged = [ "/a" "/b" ]; Unit = "app.service"; };
          };
          systemd.sockets.run = {
            wantedBy = [ "sockets.target" ];
            listenStreams = [ "/run/a" "127.0.0.1:80" ];
            socketConfig = { Accept = true; MaxConnections = 2; };
          };
          systemd.slices.runs.sliceConfig = { MemoryMax = "2G"; TasksMax = 100; };
          systemd.targets.all = { description = "All"; wants = [ "a.service" ]; };
        }`,
        },
      ],
      [
        "on scripts",
        {
          "module.nix": `{
          systemd.services.app = {
            script = "echo a";
            scriptArgs = "x";
            preStart = "echo b";
            postStop = "echo c";
          };
        }`,
        },
      ],
    ];

  test.for(agreed)("%s", async ([, files], context) => {
    const nixpkgs = requireNixpkgs(context);
    // given the modules, when both evaluate them
    const ours = await evaluateFiles(files);
    const real = await evaluateFiles(files, { nixpkgs });
    // then
    expect(real.failedAssertions).toEqual([]);
    const own = Object.entries(ours.units).filter(([name]) => !name.startsWith("docker"));
    expect(own.length).toBeGreaterThan(0);
    for (const [name, unit] of own) {
      const other = real.units[name];
      expect(unitDifferences(unit.text, other?.text ?? "", notOurs), name).toEqual([]);
      expect(unitDifferences(other?.text ?? "", unit.text, notOurs), name).toEqual([]);
      expect(other?.wantedBy, name).toEqual(unit.wantedBy);
      expect(other?.requiredBy, name).toEqual(unit.requiredBy);
    }
    for (const [path, file] of Object.entries(ours.etc)) {
      expect(real.etc[path], path).toEqual({ ...file, source: real.etc[path]?.source });
    }
    expect(real.tmpfiles).toEqual(expect.arrayContaining([...ours.tmpfiles]));
    expect(real.firewall).toEqual(ours.firewall);
    expect(real.docker.liveRestore).toBe(ours.docker.liveRestore);
  });
});
