# What every host of cc-ci has, whatever was generated for it: the options that the generated modules
# read and set, and the list of pieces that the programs on the host read.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkOption types;

  bridgeImage = pkgs.callPackage ../packages/bridge-image.nix {
    docker = config.virtualisation.docker.package;
  };

  # { "slot": "<name>" } stands for a value that only Nix knows.
  fill =
    values: value:
    if builtins.isAttrs value && builtins.attrNames value == [ "slot" ] then
      values.${value.slot}
    else if builtins.isAttrs value then
      builtins.mapAttrs (_: fill values) value
    else
      value;

  list = builtins.fromJSON (builtins.readFile config.cc-ci.piecesFile);
  installed = removeAttrs list [ "//" ] // {
    pieces = map (
      piece:
      let
        known = config.cc-ci.pieces.${piece.name};
      in
      fill (known.slots // { file = "${known.file}"; }) piece
    ) list.pieces;
  };
in
{
  options.cc-ci = {
    packages = mkOption {
      type = types.attrsOf types.package;
      description = "Programs that the units of cc-ci call, by name; set one to use another version of it.";
    };

    images = mkOption {
      description = "Images that come with the host, by name; set one to use another version of it.";
      type = types.attrsOf (
        types.submodule {
          options = {
            reference = mkOption {
              type = types.str;
              description = "Name and tag, which no registry answers for; another content has another tag.";
            };
            loader = mkOption {
              type = types.package;
              description = "A package whose bin/load-image has Docker load it.";
            };
          };
        }
      );
    };

    piecesFile = mkOption {
      type = types.path;
      description = "The generated list of pieces, with slots for what only Nix knows.";
    };

    pieces = mkOption {
      default = { };
      description = "What only Nix knows of each piece.";
      type = types.attrsOf (
        types.submodule {
          options = {
            file = mkOption {
              type = types.path;
              description = "The desired state.";
            };
            slots = mkOption {
              type = types.attrsOf types.str;
              default = { };
              description = "Values of the slots that Nix fills.";
            };
          };
        }
      );
    };
  };

  config = {
    cc-ci.packages = {
      abra = mkDefault pkgs.abra;
      converge = mkDefault (pkgs.callPackage ../packages/converge.nix { });
      drone-runner-exec = mkDefault pkgs.drone-runner-exec;
      git = mkDefault pkgs.git;
      harness = mkDefault (pkgs.callPackage ../packages/rehearsal.nix { });
      run = mkDefault (pkgs.callPackage ../packages/run.nix { });
    };

    cc-ci.images.bridge = {
      reference = mkDefault bridgeImage.reference;
      loader = mkDefault bridgeImage.loader;
    };

    # A switch that would end a test run is refused; of the system that is to come, so every one has it. No run
    # begins as long as the program lives that asks, which is the switch.
    system.preSwitchChecks.cc-ci-runs = ''
      PATH="/run/current-system/sw/bin:$PATH" ${lib.getExe config.cc-ci.packages.run} may-switch "$1" "$2" "$PPID"
    '';

    environment.etc."cc-ci/pieces.json".text = builtins.toJSON installed;
  };
}
