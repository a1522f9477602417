# Generated from cc-ci/swarm/proxy/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:83f6bf1e9ecca10b4a216b0df14ef5a2c96743908d08c6f57a531b5f2ad919d9
{ config, lib, ... }:
let
  converge = lib.getExe config.cc-ci.packages.converge;
in
{
  cc-ci.pieces.network-proxy = {
    file = ./network-proxy.json;
    slots = { };
  };

  systemd.services.cc-ci-network-proxy = {
    after = [
      "cc-ci-retire.service"
      "cc-ci-swarm.service"
    ];
    description = "Converge the overlay network proxy";
    environment = {
      HOME = "/var/lib/cc-ci/state/network-proxy";
    };
    requires = [ "cc-ci-swarm.service" ];
    serviceConfig = {
      CapabilityBoundingSet = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH";
      ExecStart = "${converge} apply ${./network-proxy.json}";
      LockPersonality = true;
      NoNewPrivileges = true;
      PrivateTmp = true;
      ProtectClock = true;
      ProtectControlGroups = true;
      ProtectHome = "read-only";
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectSystem = "strict";
      RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      StateDirectory = [ "cc-ci/state/network-proxy" ];
      StateDirectoryMode = "0700";
      SuccessExitStatus = [ 75 ];
      SystemCallArchitectures = "native";
      TimeoutStartSec = "90s";
      Type = "oneshot";
      UMask = "0077";
    };
    startLimitIntervalSec = 0;
    wantedBy = [ "cc-ci.target" ];
  };
}
