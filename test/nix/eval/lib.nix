# The functions of nixpkgs' lib that the modules of this repository may use, and no other: asking
# for one that is not here is a missing attribute, which is how modules are held to the list. A name
# on the list is one that the pinned nixpkgs has, with the same meaning.
let
  properties = import ./properties.nix;
  types = import ./types.nix { evaluateModules = import ./modules.nix; };

  optionKeys = [
    "apply"
    "default"
    "defaultText"
    "description"
    "example"
    "internal"
    "readOnly"
    "type"
    "visible"
  ];

  mkOption =
    attributes:
    let
      foreign = builtins.attrNames (builtins.removeAttrs attributes optionKeys);
    in
    if foreign == [ ] then
      attributes // { _type = "option"; }
    else
      throw "mkOption does not take `${builtins.head foreign}'.";

  isPackage = value: builtins.isAttrs value && value.type or null == "derivation";

  bin = package: package.bin or package.out or package;

  recursiveUpdate =
    left: right:
    left
    // builtins.mapAttrs (
      name: value:
      if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) then
        recursiveUpdate left.${name} value
      else
        value
    ) right;

  escapeShellArg =
    argument:
    let
      text = toString argument;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" text != null then
      text
    else
      "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";

  letters =
    text: builtins.genList (index: builtins.substring index 1 text) (builtins.stringLength text);

  toPaths = fileset: if builtins.isList fileset then fileset else [ fileset ];

  flatten = value: if builtins.isList value then builtins.concatMap flatten value else [ value ];

  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      length = builtins.stringLength text;
      suffixLength = builtins.stringLength suffix;
    in
    length >= suffixLength && builtins.substring (length - suffixLength) suffixLength text == suffix;
in
{
  inherit (properties)
    mkAfter
    mkBefore
    mkDefault
    mkForce
    mkIf
    mkMerge
    mkOptionDefault
    mkOrder
    mkOverride
    ;
  inherit
    escapeShellArg
    flatten
    hasPrefix
    hasSuffix
    mkOption
    recursiveUpdate
    types
    ;
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatLists
    concatMap
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
    genList
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    length
    listToAttrs
    mapAttrs
    removeAttrs
    replaceStrings
    sort
    stringLength
    tail
    toJSON
    ;

  # Options
  mkEnableOption =
    name:
    mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable ${name}.";
    };
  mkPackageOption =
    pkgs: name: _:
    mkOption {
      type = types.package;
      default = pkgs.${name};
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };

  # Packages. nixpkgs warns and guesses where `meta.mainProgram` is missing; here it is an error.
  getExe =
    package:
    "${bin package}/bin/${
      package.meta.mainProgram
        or (throw "The package `${package.name}' has no meta.mainProgram: use lib.getExe' and name the program.")
    }";
  getExe' = package: program: "${bin package}/bin/${program}";
  getBin = bin;
  getName =
    package:
    if builtins.isString package then
      (builtins.parseDrvName package).name
    else
      package.pname or (builtins.parseDrvName package.name).name;
  getVersion =
    package:
    if builtins.isString package then
      (builtins.parseDrvName package).version
    else
      package.version or (builtins.parseDrvName package.name).version;
  makeBinPath =
    packages: builtins.concatStringsSep ":" (map (package: "${bin package}/bin") packages);
  isDerivation = isPackage;

  # Conditions
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  optionalString = condition: text: if condition then text else "";

  # Strings
  concatMapStrings = function: list: builtins.concatStringsSep "" (map function list);
  concatMapStringsSep =
    separator: function: list:
    builtins.concatStringsSep separator (map function list);
  concatLines = builtins.foldl' (text: line: "${text}${line}\n") "";
  escapeShellArgs = arguments: builtins.concatStringsSep " " (map escapeShellArg arguments);
  removePrefix =
    prefix: text:
    if hasPrefix prefix text then
      builtins.substring (builtins.stringLength prefix) (builtins.stringLength text) text
    else
      text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then
      builtins.substring 0 (builtins.stringLength text - builtins.stringLength suffix) text
    else
      text;
  splitString =
    separator: text:
    builtins.filter builtins.isString (
      builtins.split (builtins.replaceStrings
        [
          "\\"
          "."
          "["
          "]"
          "("
          ")"
          "{"
          "}"
          "*"
          "+"
          "?"
          "^"
          "$"
          "|"
        ]
        [
          "\\\\"
          "\\."
          "\\["
          "\\]"
          "\\("
          "\\)"
          "\\{"
          "\\}"
          "\\*"
          "\\+"
          "\\?"
          "\\^"
          "\\$"
          "\\|"
        ]
        separator
      ) text
    );
  toLower = builtins.replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    letters "abcdefghijklmnopqrstuvwxyz"
  );
  versionAtLeast = left: right: builtins.compareVersions left right >= 0;
  versionOlder = left: right: builtins.compareVersions left right < 0;

  # Sets
  filterAttrs =
    predicate: set:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = set.${name};
      }) (builtins.filter (name: predicate name set.${name}) (builtins.attrNames set))
    );
  genAttrs =
    names: function:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = function name;
      }) names
    );
  mapAttrs' =
    function: set:
    builtins.listToAttrs (map (name: function name set.${name}) (builtins.attrNames set));
  mapAttrsToList = function: set: map (name: function name set.${name}) (builtins.attrNames set);
  nameValuePair = name: value: { inherit name value; };

  # Lists
  toList = value: if builtins.isList value then value else [ value ];
  unique = builtins.foldl' (
    seen: value: if builtins.elem value seen then seen else seen ++ [ value ]
  ) [ ];

  # What package files say about themselves
  licenses = {
    agpl3Only.spdxId = "AGPL-3.0-only";
    agpl3Plus.spdxId = "AGPL-3.0-or-later";
    asl20.spdxId = "Apache-2.0";
    gpl3Plus.spdxId = "GPL-3.0-or-later";
    mit.spdxId = "MIT";
  };
  platforms.linux = [
    "aarch64-linux"
    "x86_64-linux"
  ];

  # Files. A file set is looked at (each path must be there) and not copied: the folder it is taken
  # from may hold far more.
  fileset = {
    unions = builtins.concatMap toPaths;
    toSource =
      { root, fileset }:
      {
        name = "source";
        outPath =
          builtins.foldl'
            (
              path: file:
              if builtins.pathExists file then path else throw "lib.fileset: ${toString file} does not exist"
            )
            "/nix/store/00000000000000000000000000000000-source"
            (if builtins.pathExists root then toPaths fileset else throw "lib.fileset: no ${toString root}");
      };
  };
  importJSON = path: builtins.fromJSON (builtins.readFile path);
}
