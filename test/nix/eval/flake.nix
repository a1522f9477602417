# The outputs of the flake at the root, with this evaluator in the place of nixpkgs.
{ flake }:
let
  lib = import ./lib.nix // {
    nixosSystem =
      { modules }:
      {
        inherit (import ./default.nix { inherit modules; }) config units;
      };
  };
  pkgs = import ./pkgs.nix { inherit lib; };
  nixpkgs = {
    inherit lib;
    legacyPackages = {
      aarch64-linux = pkgs;
      x86_64-linux = pkgs;
    };
  };
  inherit (import (/. + flake)) inputs outputs;
  self = outputs { inherit self nixpkgs; };
in
{
  nixpkgs = inputs.nixpkgs.url;
  hosts = builtins.mapAttrs (_: system: system.config.networking.hostName) self.nixosConfigurations;
  checks = builtins.mapAttrs (_: builtins.attrNames) self.checks;
  # What a check that evaluates a system looks at is not in this evaluator.
  machines = builtins.mapAttrs (
    _: checks:
    map (name: "${checks.${name}}") (
      builtins.filter (lib.hasSuffix "-boots") (builtins.attrNames checks)
    )
  ) self.checks;
  packages = builtins.mapAttrs (_: builtins.mapAttrs (_: package: "${package}")) self.packages;
  devShells = builtins.mapAttrs (_: builtins.attrNames) self.devShells;
  formatters = builtins.attrNames self.formatter;
}
