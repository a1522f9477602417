# The same modules in the real NixOS of a nixpkgs tree. An older tree (20.09 is the oldest tried)
# lacks a few options, functions and packages that the modules use: what is not there, and only
# that, is added, as far as the text of a unit can tell. To the release that the modules are for
# nothing is added: what it does not know is an error.
{ nixpkgs, modules }:
let
  realLib = import (nixpkgs + "/lib");
  ours = import ./lib.nix;
  isOlder = realLib.versionOlder realLib.trivial.release "26.05";
  # Without nixpkgs.hostPlatform and with a lib of another shape in its package set.
  isOld = realLib.versionOlder realLib.trivial.release "22.11";

  lib =
    let
      missingFunctions = builtins.removeAttrs (
        ours
        // {
          # Before meta.mainProgram was the rule, the name of the package was.
          getExe =
            package: "${realLib.getBin package}/bin/${package.meta.mainProgram or (realLib.getName package)}";
          mkPackageOption =
            pkgs: name: _:
            realLib.mkOption {
              type = realLib.types.package;
              default = pkgs.${name};
            };
        }
      ) ([ "types" ] ++ builtins.attrNames realLib);
      missingTypes = builtins.removeAttrs {
        anything = realLib.types.unspecified;
        raw = realLib.types.unspecified;
        singleLineStr = realLib.types.strMatching "[^\n\r]*\n?";
      } (builtins.attrNames realLib.types);
    in
    if !isOlder then
      realLib
    else
      realLib.extend (_: previous: missingFunctions // { types = previous.types // missingTypes; });

  evaluate =
    list:
    import (nixpkgs + "/nixos/lib/eval-config.nix") {
      inherit lib;
      # A newer tree takes the platform from the modules.
      system = if isOld then "x86_64-linux" else null;
      modules = list;
    };

  # Asked what it declares, never what it is worth.
  bare = (evaluate [ ]).options;
  inherit (lib) mkOption types;

  isOption = node: node._type or null == "option";

  # Every option of ours that the tree does not declare, as `path` and `value`: what it is worth
  # when no module speaks of it.
  undeclared =
    path: own: real:
    builtins.concatMap (
      name:
      let
        here = path ++ [ name ];
      in
      if !(real ? ${name}) && isOption own.${name} then
        [
          {
            path = here;
            inherit (own.${name}) value;
          }
        ]
      else if isOption own.${name} || isOption (real.${name} or { }) then
        [ ]
      else
        undeclared here own.${name} (real.${name} or { })
    ) (builtins.attrNames own);

  # Loosely typed: our own evaluator has looked at the types.
  newOptions =
    map
      (
        { path, value }:
        {
          options = lib.setAttrByPath path (mkOption {
            type =
              if builtins.isAttrs value then
                types.attrsOf types.unspecified
              else if builtins.isList value then
                types.listOf types.unspecified
              else
                types.unspecified;
            default = value;
          });
        }
      )
      (
        undeclared [ ] (builtins.removeAttrs
          (import ./. {
            modules = [
              {
                boot.isContainer = true;
                system.stateVersion = "26.05";
              }
            ];
          }).options
          [ "_module" ]
        ) bare
      );

  # Options of services that are newer than the tree; those with a text are written.
  serviceOptions =
    let
      known = bare.systemd.services.type.getSubOptions [ ];
      flag = mkOption {
        type = types.bool;
        default = false;
      };
      wanted = {
        enableStrictShellChecks = flag;
        notSocketActivated = flag;
        onSuccess = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        startLimitBurst = mkOption {
          type = types.nullOr types.int;
          default = null;
        };
      };
      missing = builtins.removeAttrs wanted (builtins.attrNames known);
    in
    if missing == { } then
      [ ]
    else
      [
        {
          options.systemd.services = mkOption {
            type = types.attrsOf (
              types.submodule (
                { config, ... }:
                {
                  options = missing;
                  config.unitConfig =
                    lib.optionalAttrs (missing ? startLimitBurst && config.startLimitBurst != null) {
                      StartLimitBurst = toString config.startLimitBurst;
                    }
                    // lib.optionalAttrs (missing ? onSuccess && config.onSuccess != [ ]) {
                      OnSuccess = toString config.onSuccess;
                    };
                }
              )
            );
          };
        }
      ];

  # In the newer tree liveRestore is another name for the key; here the key sets the option.
  liveRestore =
    if bare.virtualisation.docker ? daemon then
      [ ]
    else
      [
        (
          { config, ... }:
          {
            virtualisation.docker.liveRestore = lib.mkDefault (
              config.virtualisation.docker.daemon.settings.live-restore
                or (lib.versionOlder config.system.stateVersion "24.11")
            );
          }
        )
      ];

  platform =
    if isOld then [ ] else [ { nixpkgs.hostPlatform = lib.mkOverride 1400 "x86_64-linux"; } ];

  packages = [
    {
      nixpkgs.overlays = [
        (
          _: previous:
          builtins.removeAttrs (import ./pkgs.nix { lib = ours; }) (builtins.attrNames previous)
          # Package files take lib from here.
          // {
            lib = previous.lib // (if isOld then lib else { });
          }
        )
      ];
    }
  ];

  # A word that older trees do not list; an enumeration of both is what two declarations make.
  logDriver = [
    {
      options.virtualisation.docker.logDriver = mkOption { type = types.enum [ "local" ]; };
    }
  ];

  additions =
    if isOlder then newOptions ++ serviceOptions ++ logDriver ++ liveRestore ++ packages else [ ];
  evaluation = evaluate (additions ++ platform ++ modules);
  inherit (evaluation) config options;
in
{ inherit config options; } // import ./summary.nix { inherit config; }
