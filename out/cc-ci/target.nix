# Generated from cc-ci/reconcile. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:330768e7546cb5435ae18c0cf4616282b212782e9414b80586104a7e136daa30
{ lib, pkgs, ... }:
let
  nothing = lib.getExe' pkgs.coreutils "true";
in
{
  systemd.targets.cc-ci = {
    description = "Everything that cc-ci keeps true on this host";
    wantedBy = [ "multi-user.target" ];
  };

  systemd.services.cc-ci-reconcile = {
    after = [
      "cc-ci-network-proxy.service"
      "cc-ci-retire.service"
      "cc-ci-swarm.service"
      "cc-ci-traefik.service"
    ];
    description = "Run every piece of cc-ci again";
    serviceConfig = {
      CapabilityBoundingSet = "";
      ExecStart = nothing;
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
      TimeoutStartSec = "1min";
      Type = "oneshot";
    };
    startLimitIntervalSec = 0;
    wants = [
      "cc-ci-network-proxy.service"
      "cc-ci-retire.service"
      "cc-ci-swarm.service"
      "cc-ci-traefik.service"
    ];
  };

  systemd.timers.cc-ci-reconcile = {
    description = "Run every piece of cc-ci again at intervals";
    timerConfig = {
      AccuracySec = "30s";
      OnCalendar = "*:00/10";
      RandomizedDelaySec = "1min";
    };
    wantedBy = [ "timers.target" ];
  };
}
