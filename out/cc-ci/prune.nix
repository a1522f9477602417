# Generated from cc-ci/docker/pruning. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:a757702c42473d690a9ee48a2aa0ae218f4537584552383208fd0f37eda3ded1
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
      ExecStart = "${docker} image prune --force";
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
