# Generated from cc-ci/swarm/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:9ed4dcf587ce98c1db78df50cc5e1c93c94f5b623bd72fde95dccb9f51a257a3
{ config, lib, ... }:
let
  converge = lib.getExe config.cc-ci.packages.converge;
in
{
  cc-ci.pieces.swarm = {
    file = ./swarm.json;
    slots = { };
  };

  systemd.services.cc-ci-swarm = {
    after = [ "docker.service" ];
    description = "Converge the Docker swarm of this node";
    environment = {
      HOME = "/var/lib/cc-ci/state/swarm";
      NODE_COMPILE_CACHE = "/var/cache/cc-ci/converge";
    };
    requires = [ "docker.service" ];
    serviceConfig = {
      CacheDirectory = "cc-ci/converge";
      CacheDirectoryMode = "0700";
      CapabilityBoundingSet = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH";
      ExecStart = "${converge} apply ${./swarm.json}";
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
      StateDirectory = [ "cc-ci/state/swarm" ];
      StateDirectoryMode = "0700";
      SuccessExitStatus = [ 75 ];
      SystemCallArchitectures = "native";
      TimeoutStartSec = "120s";
      Type = "oneshot";
      UMask = "0077";
    };
    startLimitIntervalSec = 0;
    wantedBy = [ "cc-ci.target" ];
  };
}
