# The way in for evaluate.ts. The request is JSON: `modules` (absolute paths), `unfree` (names of
# packages to ask the host about) and, for the real NixOS, `nixpkgs` (an absolute path).
{ request }:
let
  asked = builtins.fromJSON request;
  modules = map (path: /. + path) asked.modules;
  evaluation =
    if asked ? nixpkgs then
      import ./nixos.nix {
        nixpkgs = /. + asked.nixpkgs;
        inherit modules;
      }
    else
      import ./. { inherit modules; };
  predicate = evaluation.config.nixpkgs.config.allowUnfreePredicate or (_: false);
in
builtins.removeAttrs evaluation [
  "config"
  "options"
]
// {
  unfree = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = predicate {
        type = "derivation";
        inherit name;
        pname = name;
      };
    }) asked.unfree
  );
}
