# The name with its tag of an image of the house, by the file of its package.
{ package }:
let
  pkgs = import ./pkgs.nix { lib = import ./lib.nix; };
in
(pkgs.callPackage (/. + package) { }).reference
