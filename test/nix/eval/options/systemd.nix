# systemd.*, and the unit texts that come of it in systemd.units.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  unitOptions = import ../unit-types.nix { inherit lib; };
  unitText = import ../unit-text.nix { inherit pkgs; };

  # Options that became keys of [Unit] are definitions of unitConfig, so that a contradiction
  # between the two is found.
  unitKeys =
    {
      name,
      config,
      options,
      ...
    }:
    {
      config.unitConfig = unitText.unitKeys name config (option: options.${option}.isDefined);
    };

  # The package has a longer name than the program, which is what the journal shows.
  scriptPath =
    name: text:
    let
      program = builtins.replaceStrings [ "\\" "@" ] [ "-" "_" ] name;
      package = pkgs.writeShellScriptBin "unit-script-${program}" "set -e\n\n${text}\n";
    in
    lib.getExe' package program;

  serviceKeys =
    { name, config, ... }:
    let
      run =
        key: suffix: text: wrap:
        lib.mkIf (text != "") { serviceConfig.${key} = wrap (scriptPath "${name}-${suffix}" text); };
    in
    {
      config = lib.mkMerge [
        {
          path = lib.mkAfter [
            pkgs.coreutils
            pkgs.findutils
            pkgs.gnugrep
            pkgs.gnused
            pkgs.systemd
          ];
          environment.PATH = "${lib.makeBinPath config.path}:${
            lib.concatMapStringsSep ":" (package: "${lib.getBin package}/sbin") config.path
          }";
        }
        (run "ExecStartPre" "pre-start" config.preStart lib.toList)
        (run "ExecStart" "start" config.script (path: "${path} ${config.scriptArgs}"))
        (run "ExecStartPost" "post-start" config.postStart lib.toList)
        (run "ExecReload" "reload" config.reload (path: path))
        (run "ExecStop" "pre-stop" config.preStop (path: path))
        (run "ExecStopPost" "post-stop" config.postStop lib.toList)
      ];
    };

  units =
    options: modules:
    mkOption {
      type = types.attrsOf (
        types.submodule (
          [
            { inherit options; }
            unitKeys
          ]
          ++ modules
        )
      );
      default = { };
    };

  render =
    suffix: write: set:
    lib.mapAttrs' (
      name: unit:
      lib.nameValuePair "${name}.${suffix}" {
        inherit (unit) enable wantedBy requiredBy;
        text = write unit;
      }
    ) set;

  cfg = config.systemd;
in
{
  options.systemd = {
    services = units unitOptions.service [ serviceKeys ];
    sockets = units unitOptions.socket [ ];
    timers = units unitOptions.timer [ ];
    paths = units unitOptions.path [ ];
    targets = units unitOptions.target [ ];
    slices = units unitOptions.slice [ ];
    globalEnvironment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
          ]
        )
      );
      default = { };
    };
    tmpfiles.rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    units = mkOption {
      type = types.attrsOf types.raw;
      readOnly = true;
    };
  };

  config.systemd = {
    timers = lib.mapAttrs (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    }) (lib.filterAttrs (_: service: service.enable && service.startAt != [ ]) cfg.services);

    globalEnvironment = {
      LOCALE_ARCHIVE = "${pkgs.glibcLocales}/lib/locale/locale-archive";
      TZDIR = "/etc/zoneinfo";
    };

    units =
      render "service" (unitText.service cfg.globalEnvironment) cfg.services
      // render "socket" unitText.socket cfg.sockets
      // render "timer" unitText.timer cfg.timers
      // render "path" unitText.path cfg.paths
      // render "target" unitText.target cfg.targets
      // render "slice" unitText.slice cfg.slices;
  };
}
