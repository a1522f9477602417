# Generated from cc-ci/swarm/retired/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:935baedfa0a9300cfffe374f4775424d1fbca691b14939257e853f08117580c2
{ config, lib, ... }:
let
  converge = lib.getExe config.cc-ci.packages.converge;
in
{
  cc-ci.pieces.retire = {
    file = ./retire.json;
    slots = { };
  };

  systemd.services.cc-ci-retire = {
    after = [ "cc-ci-swarm.service" ];
    description = "Undeploy what is ours and left the configuration";
    environment = {
      HOME = "/var/lib/cc-ci/state/retire";
      NODE_COMPILE_CACHE = "/var/cache/cc-ci/converge";
    };
    path = [
      config.cc-ci.packages.abra
      config.cc-ci.packages.git
    ];
    requires = [ "cc-ci-swarm.service" ];
    serviceConfig = {
      CacheDirectory = "cc-ci/converge";
      CacheDirectoryMode = "0700";
      CapabilityBoundingSet = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH";
      ExecStart = "${converge} apply ${./retire.json}";
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
      StateDirectory = [
        "cc-ci/state/retire"
        "cc-ci/abra"
      ];
      StateDirectoryMode = "0700";
      SuccessExitStatus = [ 75 ];
      SystemCallArchitectures = "native";
      TimeoutStartSec = "660s";
      Type = "oneshot";
      UMask = "0077";
    };
    startLimitIntervalSec = 0;
    wantedBy = [ "cc-ci.target" ];
  };
}
