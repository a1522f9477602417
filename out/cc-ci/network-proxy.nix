# Generated from cc-ci/swarm/proxy/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:cf54d0c7549abd22aef9e0c7fb8f4360401afb625fbfbc625cb7f875f8b9d5fd
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
      NODE_COMPILE_CACHE = "/var/cache/cc-ci/converge";
    };
    requires = [ "cc-ci-swarm.service" ];
    serviceConfig = {
      CacheDirectory = "cc-ci/converge";
      CacheDirectoryMode = "0700";
      CapabilityBoundingSet = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH";
      ExecStart = "${converge} apply ${./network-proxy.json}";
      LockPersonality = true;
      MemoryMax = "1G";
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
