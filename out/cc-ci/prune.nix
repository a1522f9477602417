# Generated from cc-ci/docker/pruning. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:5de5c53aff15817ecd8321305b25031eacda4f37318e4724e2cf36ce1bf76578
{ config, lib, ... }:
let
  docker = lib.getExe config.virtualisation.docker.package;
in
{
  systemd.services.cc-ci-prune = {
    after = [ "docker.service" ];
    description = "Remove untagged images that no container uses";
    requires = [ "docker.service" ];
    serviceConfig = {
      CapabilityBoundingSet = "";
      ExecStart = "${docker} image prune --force";
      LockPersonality = true;
      NoNewPrivileges = true;
      PrivateDevices = true;
      PrivateNetwork = true;
      PrivateTmp = true;
      ProtectClock = true;
      ProtectControlGroups = true;
      ProtectHome = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectProc = "invisible";
      ProtectSystem = "strict";
      RestrictAddressFamilies = "AF_UNIX";
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [ "@system-service" ];
      TimeoutStartSec = "10min";
      Type = "oneshot";
    };
    startLimitIntervalSec = 0;
  };

  systemd.timers.cc-ci-prune = {
    description = "Remove untagged images at intervals";
    timerConfig = {
      OnCalendar = "weekly";
      Persistent = true;
      RandomizedDelaySec = "1h";
    };
    wantedBy = [ "timers.target" ];
  };
}
