import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireNixpkgs, requireTool } from "../tools.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
import { unitDifferences, unitKeys } from "./unit-keys.ts";

let folder: string;

beforeEach(async (context) => {
  requireTool(context, "nix-instantiate");
  folder = await mkdtemp(join(tmpdir(), "cc-ci-eval-"));
});

afterEach(async () => {
  if (folder === undefined) return;
  // Nix leaves folders of a store without permission to write, which only root can remove.
  await execa("chmod", ["-R", "u+w", folder]);
  await rm(folder, { recursive: true, force: true });
});

/** The least that a host must say, as a module beside the ones of a test. */
const container = `{
  boot.isContainer = true;
  system.stateVersion = "26.05";
}`;

/** Evaluates these files of one folder; all `.nix` ones at its top are modules. */
async function evaluateFiles(
  files: Readonly<Record<string, string>>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const all = { "container.nix": container, ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const modules = Object.keys(all).filter((name) => /^[^/]+\.nix$/.test(name));
  return evaluate(
    modules.map((name) => join(folder, name)),
    options,
  );
}

/** A service `app` with these bindings beside an ExecStart. */
const service = (bindings: string): string => `{ pkgs, ... }:
{
  systemd.services.app = {
    serviceConfig.ExecStart = "\${pkgs.jq}/bin/jq";
    ${bindings}
  };
}`;

describe("what is wrong is refused, with the option's name", () => {
  const broken: readonly (readonly [sentence: string, module: string, message: RegExp])[] = [
    [
      "an option that does not exist",
      `{ systemd.servces.app.description = "x"; }`,
      /The option `systemd\.servces' does not exist[\s\S]*module\.nix/,
    ],
    [
      "an option of a unit that does not exist",
      service(`descripton = "x";`),
      /The option `systemd\.services\.app\.descripton' does not exist[\s\S]*module\.nix/,
    ],
    [
      "an option that does not exist, even where it would not count",
      `{ lib, ... }: { config = lib.mkIf false { networking.firewal.enable = true; }; }`,
      /The option `networking\.firewal' does not exist/,
    ],
    [
      "a unit name without its suffix",
      service(`after = [ "docker" ];`),
      /systemd\.services\.app\.after\."\[definition 1-entry 1\]"' is not of type `string matching[\s\S]*module\.nix': "docker"/,
    ],
    [
      "a newline in a description",
      service(`description = "one\\ntwo";`),
      /systemd\.services\.app\.description' is not of type .*single-line string/,
    ],
    [
      "a number in the environment",
      service("environment.PORT = 80;"),
      /systemd\.services\.app\.environment\.PORT' is not of type[\s\S]*module\.nix': 80/,
    ],
    [
      "a Boolean in the environment",
      service("environment.DEBUG = true;"),
      /systemd\.services\.app\.environment\.DEBUG' is not of type/,
    ],
    [
      "a port that is none",
      "{ networking.firewall.allowedTCPPorts = [ 70000 ]; }",
      /networking\.firewall\.allowedTCPPorts\."\[definition 1-entry 1\]"' is not of type `16 bit unsigned integer/,
    ],
    [
      "a bare string for a list",
      service(`wantedBy = "multi-user.target";`),
      /systemd\.services\.app\.wantedBy' is not of type `list of/,
    ],
    [
      "a time span for the start limit, which is an integer",
      service(`startLimitIntervalSec = "5min";`),
      /systemd\.services\.app\.startLimitIntervalSec' is not of type `signed integer'/,
    ],
    [
      "a typing error in Type",
      service(`serviceConfig.Type = "onshot";`),
      /systemd\.services\.app\.serviceConfig\.Type' is one of .*"onshot"/,
    ],
    [
      "a typing error in Restart",
      service(`serviceConfig.Restart = "on-failur";`),
      /systemd\.services\.app\.serviceConfig\.Restart' is one of/,
    ],
    [
      "a set as the value of a key",
      service("serviceConfig.Environment = { A = 1; };"),
      /systemd\.services\.app\.serviceConfig\.Environment' is not of type `systemd option/,
    ],
    [
      "a newline in the value of a key",
      service(`serviceConfig.User = "a\\nExecStartPre=b";`),
      /systemd\.services\.app\.serviceConfig\.User' is not of type `systemd option/,
    ],
    [
      "a wrong type in a file of /etc",
      `{ environment.etc."a/b".mode = 440; }`,
      /environment\.etc\."a\/b"\.mode' is not of type `string'/,
    ],
    [
      "a file of /etc without content",
      `{ environment.etc."a/b".mode = "0440"; }`,
      /environment\.etc\."a\/b" has neither text nor source/,
    ],
    [
      "a wrong type that nothing reads",
      `{ swapDevices = [ { device = "/dev/sda2"; size = "2G"; } ]; }`,
      /swapDevices\."\[definition 1-entry 1\]"\.size' is not of type/,
    ],
    [
      "a wrong type in a module's own option",
      `{ lib, ... }: {
        options.cc-ci.pieces = lib.mkOption {
          type = lib.types.attrsOf (lib.types.submodule { options.file = lib.mkOption { type = lib.types.path; }; });
        };
        config.cc-ci.pieces.traefik.file = "traefik.json";
      }`,
      /cc-ci\.pieces\.traefik\.file' is not of type `absolute path'/,
    ],
    [
      "live-restore as a word",
      `{ virtualisation.docker.daemon.settings.live-restore = "false"; }`,
      /virtualisation\.docker\.daemon\.settings\.live-restore' is not of type `boolean'/,
    ],
    [
      "a function of lib that is not on the list",
      `{ lib, ... }: { networking.hostName = lib.fakeHash; }`,
      /attribute 'fakeHash' missing[\s\S]*module\.nix/,
    ],
    [
      "a type that is not on the list",
      "{ lib, ... }: { options.x = lib.mkOption { type = lib.types.deferredModule; }; config.x = { }; }",
      /attribute 'deferredModule' missing/,
    ],
    [
      "a package that is not on the list",
      "{ pkgs, ... }: { environment.systemPackages = [ pkgs.no-such-thing ]; }",
      /attribute 'no-such-thing' missing/,
    ],
    [
      "a program without a name",
      "{ lib, pkgs, ... }: { environment.etc.x.text = lib.getExe pkgs.coreutils; }",
      /coreutils.* has no meta\.mainProgram/,
    ],
    [
      "a file that is missing",
      service(`serviceConfig.ExecStartPre = "\${./missing.json}";`),
      /missing\.json' ?(?:: )?(?:No such file|does not exist)|getting status of .*missing\.json/,
    ],
    ["an import that is missing", "{ imports = [ ./missing.nix ]; }", /missing\.nix/],
    [
      "an argument that modules do not get",
      "{ inputs, ... }: { networking.hostName = inputs.name; }",
      /asks for the argument `inputs', which does not exist/,
    ],
    [
      "an option and its short form in one module",
      `{ config.networking.hostName = "a"; networking.domain = "b"; }`,
      /module\.nix' has an unsupported attribute `networking'/,
    ],
    [
      "a value where options are",
      `{ networking.firewall = false; }`,
      /`networking\.firewall' is a set of options, not an option/,
    ],
    [
      "a user name that the system would refuse",
      `{ users.users."a b" = { isSystemUser = true; group = "root"; }; }`,
      /users\.users\."a b"\.name' is not of type/,
    ],
  ];

  test.for(broken)("%s", async ([, module, message]) => {
    // given a module with that mistake, when it is evaluated
    const evaluation = evaluateFiles({ "module.nix": module });
    // then Nix says where
    await expect(evaluation).rejects.toThrow(message);
  });

  test("two modules that contradict each other are named both", async () => {
    // given
    const files = {
      "a.nix": `{ networking.hostName = "a"; }`,
      "b.nix": `{ networking.hostName = "b"; }`,
    };
    // when
    const evaluation = evaluateFiles(files);
    // then
    await expect(evaluation).rejects.toThrow(
      /`networking\.hostName' has conflicting definition values:[\s\S]*[ab]\.nix': "[ab]"[\s\S]*[ab]\.nix': "[ab]"/,
    );
  });

  test("two modules that contradict each other in a key of a unit are named both", async () => {
    // given
    const files = {
      "a.nix": service("serviceConfig.Nice = 1;"),
      "b.nix": `{ systemd.services.app.serviceConfig.Nice = 2; }`,
    };
    // when
    const evaluation = evaluateFiles(files);
    // then
    await expect(evaluation).rejects.toThrow(
      /systemd\.services\.app\.serviceConfig\.Nice' has conflicting definition values/,
    );
  });

  test("the path of a module that is missing is named", async () => {
    // given a path, when, then
    await expect(evaluate([join(folder, "no-such-module.nix")])).rejects.toThrow(
      /no-such-module\.nix/,
    );
  });
});

describe("what NixOS only asserts or warns of is told", () => {
  const told: readonly (readonly [sentence: string, module: string, message: RegExp])[] = [
    [
      "a user who is neither a system user nor a normal one",
      `{ users.users.app.group = "root"; }`,
      /Exactly one of users\.users\.app\.isSystemUser/,
    ],
    [
      "a user without a group",
      "{ users.users.app.isSystemUser = true; }",
      /users\.users\.app\.group is unset/,
    ],
    [
      "a group that nobody declared",
      `{ users.users.app = { isSystemUser = true; group = "app"; }; }`,
      /group `app' of users\.users\.app is not declared/,
    ],
    [
      "a host that cannot boot",
      "{ lib, ... }: { boot.isContainer = lib.mkForce false; }",
      /does not specify your root file system[\s\S]*boot\.loader\.grub\.devices/,
    ],
    [
      "a module's own assertion",
      `{ config, ... }: {
        networking.nftables.enable = true;
        assertions = [
          { assertion = config.networking.firewall.backend == "iptables"; message = "cc-ci: needs iptables"; }
        ];
      }`,
      /cc-ci: needs iptables/,
    ],
    [
      "a oneshot that restarts for ever",
      service(`serviceConfig = { Type = "oneshot"; Restart = "always"; };`),
      /app\.service' with 'Type=oneshot' cannot have/,
    ],
    [
      "a service after network-online.target that does not ask for it",
      service(`after = [ "network-online.target" ];`),
      /app\.service is ordered after 'network-online\.target'/,
    ],
  ];

  test.for(told)("%s", async ([, module, message]) => {
    // given a module with that mistake, when
    const { failedAssertions, warnings } = await evaluateFiles({ "module.nix": module });
    // then
    expect([...failedAssertions, ...warnings].join("\n")).toMatch(message);
  });

  test("a host without a state version is warned of", async () => {
    // given, when
    const { warnings } = await evaluateFiles({
      "container.nix":
        '{ lib, ... }: { boot.isContainer = true; system.stateVersion = lib.mkIf false "26.05"; }',
    });
    // then
    expect(warnings).toEqual([expect.stringContaining("system.stateVersion is not set")]);
  });
});

/** As the generator emits them, with the hand-written module that they stand on. */
const piece = {
  "cc-ci.nix": `{ config, lib, pkgs, ... }:
{
  options.cc-ci = {
    packages = lib.mkOption {
      type = lib.types.attrsOf lib.types.package;
      default = { };
    };
    pieces = lib.mkOption {
      default = { };
      type = lib.types.attrsOf (
        lib.types.submodule {
          options.file = lib.mkOption { type = lib.types.path; };
          options.slots = lib.mkOption {
            type = lib.types.attrsOf lib.types.str;
            default = { };
          };
        }
      );
    };
  };
  config = {
    cc-ci.packages.converge = pkgs.callPackage ./packages/converge.nix { };
    environment.etc."cc-ci/pieces.json".text = builtins.toJSON (
      lib.mapAttrs (_: piece: (lib.importJSON piece.file) // piece.slots) config.cc-ci.pieces
    );
    nixpkgs.config.allowUnfreePredicate = package: builtins.elem (lib.getName package) [ "drone" ];
    networking.firewall.allowedTCPPorts = [ 443 80 ];
    networking.hostName = lib.mkDefault "cc-ci";
    virtualisation.docker = {
      enable = true;
      daemon.settings.default-address-pools = [ { base = "10.64.0.0/12"; size = 24; } ];
    };
    systemd.targets.cc-ci = {
      description = "Co-op Cloud CI";
      wantedBy = [ "multi-user.target" ];
    };
    systemd.tmpfiles.rules = [ "d /var/lib/cc-ci 0700 root root -" ];
    assertions = [
      {
        assertion = !config.virtualisation.docker.liveRestore;
        message = "cc-ci: live-restore and swarm exclude each other";
      }
    ];
  };
}`,
  "packages/converge.nix": `{ lib, stdenvNoCC, makeWrapper, nodejs_24 }:
stdenvNoCC.mkDerivation {
  pname = "converge";
  version = "1";
  src = ./src;
  nativeBuildInputs = [ makeWrapper ];
  installPhase = "makeWrapper \${lib.getExe nodejs_24} $out/bin/converge";
  meta.mainProgram = "converge";
}`,
  "packages/src/main.ts": "",
  "traefik.json": `{ "kind": "stack" }`,
  "traefik.env": "A=b\n",
  "traefik.nix": `{ config, lib, ... }:
let
  converge = lib.getExe config.cc-ci.packages.converge;
in
{
  cc-ci.pieces.traefik = {
    file = ./traefik.json;
    slots.image = "traefik:3";
  };
  systemd.services.cc-ci-traefik = {
    description = "Converge the Traefik stack";
    documentation = [ "https://example.org/a" "https://example.org/b" ];
    wantedBy = [ "cc-ci.target" ];
    requires = [ "docker.service" ];
    wants = [ "network-online.target" ];
    after = [ "docker.service" "network-online.target" ];
    onFailure = [ "cc-ci-alert@%n.service" ];
    startLimitIntervalSec = 0;
    environment = {
      HOME = "/var/lib/cc-ci";
      QUOTED = "a \\"b\\" \\\\ %h $c";
      UNSET = null;
    };
    serviceConfig = {
      Type = "oneshot";
      ExecStart = "\${converge} apply \${./traefik.json} --slot env-file=\${./traefik.env}";
      StateDirectory = [ "cc-ci/state/traefik" "cc-ci/abra" ];
      NoNewPrivileges = true;
      SuccessExitStatus = [ 75 ];
      TimeoutStartSec = "12min";
    };
  };
}`,
};

describe("what is right comes to the text that NixOS would write", () => {
  test("a service as the generator emits it", async () => {
    // given, when
    const { units, failedAssertions, warnings } = await evaluateFiles(piece);
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
    const evaluation = await evaluateFiles(piece, { unfree: ["drone", "other"] });
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
    const store = join(folder, "store");
    // when
    const { units } = await evaluateFiles(piece, { store });
    // then
    const path = /apply (\S+)/.exec(units["cc-ci-traefik.service"]?.text ?? "")?.[1] ?? "";
    expect(path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-traefik\.json$/);
    expect(await readFile(join(store, path), "utf8")).toBe(piece["traefik.json"]);
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
    const { units } = await evaluateFiles({ ...piece, "stand-in.nix": module });
    // then
    expect(units["cc-ci-traefik.service"]?.text).toContain("ExecStart=/usr/bin/converge apply");
  });
});

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
      ["on what the generator emits", piece],
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
