/** As the generator emits them, with the hand-written module that they stand on. */
export const samplePiece = {
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
