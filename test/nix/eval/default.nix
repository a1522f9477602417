# A small evaluator of NixOS modules: enough to say what a host of this repository comes to, with
# neither nixpkgs nor its lib at hand. It refuses unknown options, wrong types and library functions
# off its list; it builds nothing.
{
  modules,
  specialArgs ? { },
}:
let
  lib = import ./lib.nix;

  evaluation = import ./modules.nix {
    inherit lib;
    modules = [ ./options.nix ] ++ modules;
    specialArgs = {
      modulesPath = toString ./nixos-modules;
    }
    // specialArgs;
    lateArgs = config: {
      pkgs = import ./pkgs.nix {
        inherit lib;
        inherit (config.nixpkgs) overlays;
      };
      utils = import ./utils.nix;
    };
  };
  inherit (evaluation) config options;

  # NixOS evaluates only what the system is built from. Here the value of every option is looked at,
  # so that a wrong type is found wherever it stands.
  force =
    value:
    if builtins.isAttrs value then
      if value.type or null == "derivation" then
        builtins.seq "${value}" null
      else
        builtins.foldl' (_: name: force value.${name}) null (builtins.attrNames value)
    else if builtins.isList value then
      builtins.foldl' (_: force) null value
    else
      builtins.seq value null;
  forceOptions =
    tree:
    builtins.foldl' (
      _: name:
      let
        node = tree.${name};
      in
      if node._type or null == "option" then
        if node.isDefined then force node.value else null
      else
        forceOptions node
    ) null (builtins.attrNames tree);
  forced = builtins.seq config (forceOptions options);
in
builtins.seq forced ({ inherit config options; } // import ./summary.nix { inherit config; })
