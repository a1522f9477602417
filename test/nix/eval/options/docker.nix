# virtualisation.docker, and the units that the module makes when it is enabled.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.virtualisation.docker;
  json = pkgs.formats.json { };
in
{
  options.virtualisation.docker = {
    enable = lib.mkEnableOption "docker";
    package = mkOption {
      type = types.package;
      default = pkgs.docker;
    };
    enableOnBoot = mkOption {
      type = types.bool;
      default = true;
    };
    extraPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
    };
    logDriver = mkOption {
      type = types.enum [
        "awslogs"
        "etwlogs"
        "fluentd"
        "gcplogs"
        "gelf"
        "journald"
        "json-file"
        "local"
        "none"
        "splunk"
        "syslog"
      ];
      default = "journald";
    };
    storageDriver = mkOption {
      type = types.nullOr (
        types.enum [
          "aufs"
          "btrfs"
          "devicemapper"
          "overlay"
          "overlay2"
          "zfs"
        ]
      );
      default = null;
    };
    extraOptions = mkOption {
      type = types.str;
      default = "";
    };
    listenOptions = mkOption {
      type = types.listOf types.str;
      default = [ "/run/docker.sock" ];
    };
    # Another name for the typed key of daemon.settings, to read and to set.
    liveRestore = mkOption {
      type = types.bool;
      apply = _: cfg.daemon.settings.live-restore;
    };
    daemon.settings = mkOption {
      default = { };
      type = types.submodule {
        freeformType = types.attrsOf json.type;
        options.live-restore = mkOption {
          type = types.bool;
          default = lib.versionOlder config.system.stateVersion "24.11";
        };
      };
    };
    autoPrune = {
      enable = mkOption {
        type = types.bool;
        default = false;
      };
      dates = mkOption {
        type = types.str;
        default = "weekly";
      };
      flags = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
      persistent = mkOption {
        type = types.bool;
        default = true;
      };
      randomizedDelaySec = mkOption {
        type = types.singleLineStr;
        default = "0";
      };
      allVolumes.enable = lib.mkEnableOption "pruning of named volumes";
    };
  };

  config = lib.mkMerge [
    {
      virtualisation.docker.daemon.settings.live-restore = lib.mkMerge (
        map (definition: definition.value) options.virtualisation.docker.liveRestore.definitions
      );
    }
    (lib.mkIf cfg.enable {

      users.groups.docker.gid = 131;
      boot.kernelModules = [
        "bridge"
        "veth"
        "br_netfilter"
        "xt_nat"
      ];
      environment.systemPackages = [ cfg.package ];
      virtualisation.docker.daemon.settings = {
        group = "docker";
        hosts = [ "fd://" ];
        log-driver = lib.mkDefault cfg.logDriver;
        storage-driver = lib.mkIf (cfg.storageDriver != null) (lib.mkDefault cfg.storageDriver);
      };

      systemd.sockets.docker = {
        description = "Docker Socket for the API";
        wantedBy = [ "sockets.target" ];
        socketConfig = {
          ListenStream = cfg.listenOptions;
          SocketMode = "0660";
          SocketUser = "root";
          SocketGroup = "docker";
        };
      };
      systemd.services.docker = {
        wantedBy = lib.optional cfg.enableOnBoot "multi-user.target";
        after = [
          "network.target"
          "docker.socket"
        ];
        requires = [ "docker.socket" ];
        serviceConfig = {
          Type = "notify";
          ExecStart = "${cfg.package}/bin/dockerd --config-file=${json.generate "daemon.json" cfg.daemon.settings} ${cfg.extraOptions}";
        };
      };
      systemd.services.docker-prune = lib.mkIf cfg.autoPrune.enable {
        description = "Prune docker resources";
        restartIfChanged = false;
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "${cfg.package}/bin/docker system prune -f ${lib.escapeShellArgs cfg.autoPrune.flags}";
        };
        startAt = lib.optional cfg.autoPrune.enable cfg.autoPrune.dates;
        after = [ "docker.service" ];
        requires = [ "docker.service" ];
      };
      systemd.timers.docker-prune = lib.mkIf cfg.autoPrune.enable {
        timerConfig = {
          Persistent = cfg.autoPrune.persistent;
          RandomizedDelaySec = cfg.autoPrune.randomizedDelaySec;
        };
      };
    })
  ];
}
