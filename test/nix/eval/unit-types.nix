# The options of systemd units, with the types that NixOS gives them.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ./show.nix) showDefinitions showOption;
  inherit (import ./merge.nix) mergeEqual;

  unitName = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";

  isAtom =
    value:
    builtins.isBool value
    || builtins.isInt value
    || builtins.isFloat value
    || builtins.isString value
    || builtins.isPath value
    || (builtins.isAttrs value && value ? outPath);

  # A key of a unit section. A list repeats the key, and lists of several modules are concatenated.
  # A newline would start a key of its own, which NixOS lets through and we do not.
  unitOption = {
    name = "systemd option";
    description = "systemd option: a string, number, Boolean, path or package, or a list of them, without newlines";
    check =
      value:
      let
        isLine = atom: isAtom atom && !(builtins.isString atom && builtins.match ".*\n.*" atom != null);
      in
      if builtins.isList value then builtins.all isLine value else isLine value;
    merge =
      location: definitions:
      let
        lists = builtins.filter (definition: builtins.isList definition.value) definitions;
      in
      if lists == [ ] then
        mergeEqual location definitions
      else if builtins.length lists == builtins.length definitions then
        builtins.concatMap (definition: definition.value) definitions
      else
        throw "The option `${showOption location}' is a list in one place and a single value in another:${showDefinitions definitions}";
  };

  section = mkOption {
    type = types.attrsOf unitOption;
    default = { };
  };

  # systemd itself only warns about a word that it does not know, and then ignores it.
  words = {
    Type = [
      "dbus"
      "exec"
      "forking"
      "idle"
      "notify"
      "notify-reload"
      "oneshot"
      "simple"
    ];
    Restart = [
      "always"
      "no"
      "on-abnormal"
      "on-abort"
      "on-failure"
      "on-success"
    ];
  };
  serviceSection = types.attrsOf unitOption // {
    merge =
      location: definitions:
      let
        merged = (types.attrsOf unitOption).merge location definitions;
        checkWord =
          name: value:
          if words ? ${name} && !(builtins.elem value words.${name}) then
            throw "The option `${
              showOption (location ++ [ name ])
            }' is one of ${builtins.toJSON words.${name}}, not ${builtins.toJSON value}."
          else
            value;
      in
      builtins.mapAttrs checkWord merged;
  };

  unitNames = mkOption {
    type = types.listOf unitName;
    default = [ ];
  };
  enabledByDefault = mkOption {
    type = types.bool;
    default = true;
  };
  disabledByDefault = mkOption {
    type = types.bool;
    default = false;
  };
  script = mkOption {
    type = types.lines;
    default = "";
  };
  triggers = mkOption {
    type = types.listOf types.raw;
    default = [ ];
  };

  common = {
    enable = enabledByDefault;
    description = mkOption {
      type = types.singleLineStr;
      default = "";
    };
    documentation = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    aliases = unitNames;
    wantedBy = unitNames;
    requiredBy = unitNames;
    upheldBy = unitNames;
    requires = unitNames;
    wants = unitNames;
    upholds = unitNames;
    after = unitNames;
    before = unitNames;
    bindsTo = unitNames;
    partOf = unitNames;
    conflicts = unitNames;
    requisite = unitNames;
    onFailure = unitNames;
    onSuccess = unitNames;
    unitConfig = section;
    restartTriggers = triggers;
    reloadTriggers = triggers;
    # Without a default, so that "not set" and "0" can be told apart.
    startLimitBurst = mkOption { type = types.int; };
    startLimitIntervalSec = mkOption { type = types.int; };
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropin"
        "asDropinIfExists"
      ];
      default = "asDropinIfExists";
    };
  };
in
{
  target = common;

  service = common // {
    environment = mkOption {
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
    path = mkOption {
      type = types.listOf (
        types.oneOf [
          types.package
          types.str
        ]
      );
      default = [ ];
    };
    serviceConfig = mkOption {
      type = serviceSection;
      default = { };
    };
    inherit script;
    scriptArgs = mkOption {
      type = types.str;
      default = "";
    };
    preStart = script;
    postStart = script;
    reload = script;
    preStop = script;
    postStop = script;
    enableStrictShellChecks = disabledByDefault;
    restartIfChanged = enabledByDefault;
    reloadIfChanged = disabledByDefault;
    stopIfChanged = enabledByDefault;
    notSocketActivated = disabledByDefault;
    startAt = mkOption {
      type = types.either types.str (types.listOf types.str);
      default = [ ];
      apply = value: if builtins.isList value then value else [ value ];
    };
  };

  socket = common // {
    listenStreams = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    listenDatagrams = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    socketConfig = section;
  };

  timer = common // {
    timerConfig = section;
  };

  path = common // {
    pathConfig = section;
  };

  slice = common // {
    sliceConfig = section;
  };
}
