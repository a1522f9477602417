import { describe, expect, test } from "vitest";
import { evaluate } from "./evaluate.ts";
import { evaluationFolder } from "./evaluation-folder.ts";

const { evaluateFiles, pathOf } = evaluationFolder();

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
    await expect(evaluate([pathOf("no-such-module.nix")])).rejects.toThrow(/no-such-module\.nix/);
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
