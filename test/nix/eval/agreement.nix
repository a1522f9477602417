# What the cases of a file (a function of lib) come to with our lib and with the one of a nixpkgs
# tree, and the names on our list that the tree does not know.
{ nixpkgs, cases }:
let
  run = import (/. + cases);
  ours = import ./lib.nix;
  real = import (/. + "${nixpkgs}/lib");
  unknown = own: known: builtins.attrNames (builtins.removeAttrs own (builtins.attrNames known));
in
# Older ones lack some of the names, and treat a few cases in another way.
if real.versionOlder real.trivial.release "24.05" then
  "too old"
else
  {
    missing = unknown ours real ++ unknown ours.types real.types;
    ours = run (ours // { evalModules = import ./modules.nix; });
    real = run real;
  }
