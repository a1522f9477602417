# Generated from cc-ci/reconcile. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:59df189e4abfa883325edfa7d5c6c7d1da423b897aa46ef48c0e920c8331f94a
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
      ExecStart = nothing;
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
