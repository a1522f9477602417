# Generated from cc-ci/swarm/retired/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:d5afb995b8d2ba5fc0d2ed2488a7d9627bb8e2c82117b2da75adb48cd6e3646e
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
