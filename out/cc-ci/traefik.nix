# Generated from cc-ci/traefik/piece. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:13d722cf146d5fdef0d9338c1bd2ecc74cf8d11c255e220a961ffe1f330cc93d
{ config, lib, ... }:
let
  converge = lib.getExe config.cc-ci.packages.converge;
in
{
  cc-ci.pieces.traefik = {
    file = ./traefik.json;
    slots = {
      env-file = "${./traefik.env}";
    };
  };

  systemd.services.cc-ci-traefik = {
    after = [
      "cc-ci-network-proxy.service"
      "cc-ci-retire.service"
    ];
    description = "Converge Traefik, the proxy in front of every app";
    environment = {
      HOME = "/var/lib/cc-ci/state/traefik";
      NODE_COMPILE_CACHE = "/var/cache/cc-ci/converge";
    };
    path = [
      config.cc-ci.packages.abra
      config.cc-ci.packages.git
      config.virtualisation.docker.package
    ];
    requires = [ "cc-ci-network-proxy.service" ];
    serviceConfig = {
      CacheDirectory = "cc-ci/converge";
      CacheDirectoryMode = "0700";
      CapabilityBoundingSet = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH";
      ExecStart = "${converge} apply ${./traefik.json} --slot env-file=${./traefik.env}";
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
        "cc-ci/state/traefik"
        "cc-ci/abra"
      ];
      StateDirectoryMode = "0700";
      SuccessExitStatus = [ 75 ];
      SystemCallArchitectures = "native";
      TimeoutStartSec = "4150s";
      Type = "oneshot";
      UMask = "0077";
    };
    startLimitIntervalSec = 0;
    wantedBy = [ "cc-ci.target" ];
  };

  systemd.paths.cc-ci-traefik = {
    description = "Watch the files that traefik is made of";
    pathConfig = {
      PathChanged = [
        "/var/lib/ci-certs/live/fullchain.pem"
        "/var/lib/ci-certs/live"
        "/var/lib/ci-certs"
        "/var/lib/ci-certs/live/privkey.pem"
      ];
    };
    wantedBy = [ "paths.target" ];
  };
}
