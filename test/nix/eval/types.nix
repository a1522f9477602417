# The option types, under the names they have in nixpkgs' lib.types. A type is `name`, `description`
# (for messages), `check` (of one definition, shallow), `merge` (of all, which checks what is inside)
# and perhaps `emptyValue` (what it is worth when nobody defines it). `evaluateModules` comes as an
# argument because a submodule is an evaluation of its own.
{ evaluateModules }:
let
  inherit (import ./merge.nix) mergeDefinitions mergeEqual mergeOnce;
  inherit (import ./show.nix) showDefinitions showOption;

  isStringLike =
    value:
    builtins.isString value || builtins.isPath value || (builtins.isAttrs value && value ? outPath);

  isPackage = value: builtins.isAttrs value && value.type or null == "derivation";

  startsWithSlash = value: builtins.substring 0 1 (toString value) == "/";

  scalar = name: description: check: {
    inherit name description check;
    merge = mergeEqual;
  };

  withCheck =
    type: description: check:
    type
    // {
      inherit description;
      check = value: type.check value && check value;
    };

  # What a submodule shows to the outside: without the options that have no value, so that all of it
  # can be looked at. To its own modules they are there, with an error that says so.
  withoutUnset =
    { config, options }:
    let
      isUnset =
        option: option._type or null == "option" && !option.isDefined && !(option.type ? emptyValue);
      show =
        tree: values:
        builtins.listToAttrs (
          builtins.concatMap (
            name:
            if !(tree ? ${name}) then
              [
                {
                  inherit name;
                  value = values.${name};
                }
              ]
            else if isUnset tree.${name} then
              [ ]
            else
              [
                {
                  inherit name;
                  value =
                    if tree.${name}._type or null == "option" then values.${name} else show tree.${name} values.${name};
                }
              ]
          ) (builtins.attrNames values)
        );
    in
    show options config;

  last = list: builtins.elemAt list (builtins.length list - 1);

  joined = name: description: separator: {
    inherit name description;
    check = builtins.isString;
    merge =
      _: definitions:
      builtins.concatStringsSep separator (map (definition: definition.value) definitions);
  };

  between =
    lowest: highest:
    withCheck types.int "integer between ${toString lowest} and ${toString highest} (both inclusive)" (
      value: value >= lowest && value <= highest
    );

  types = {
    bool = scalar "bool" "boolean" builtins.isBool;

    int = scalar "int" "signed integer" builtins.isInt;
    ints = {
      inherit between;
      positive = withCheck types.int "positive integer, meaning >0" (value: value > 0);
      unsigned = withCheck types.int "unsigned integer, meaning >=0" (value: value >= 0);
      u16 = types.port;
    };
    float = scalar "float" "floating point number" builtins.isFloat;
    port = withCheck types.int "16 bit unsigned integer; between 0 and 65535 (both inclusive)" (
      value: value >= 0 && value <= 65535
    );

    str = scalar "str" "string" builtins.isString;
    nonEmptyStr = withCheck types.str "non-empty string" (
      value: builtins.match "[ \t\n]*" value == null
    );
    # One newline at the end is forgiven and cut off, as in nixpkgs; any other is an error.
    singleLineStr = types.str // {
      name = "singleLineStr";
      description = "(optionally newline-terminated) single-line string";
      check = value: builtins.isString value && builtins.match "[^\n\r]*\n?" value != null;
      merge =
        location: definitions:
        builtins.head (builtins.match "([^\n]*)\n?" (mergeEqual location definitions));
    };
    strMatching =
      pattern:
      withCheck types.str "string matching the pattern ${pattern}" (
        value: builtins.match pattern value != null
      );
    lines = joined "lines" "strings concatenated with \"\\n\"" "\n";
    commas = joined "commas" "strings concatenated with \",\"" ",";

    path = scalar "path" "absolute path" (value: isStringLike value && startsWithSlash value);
    package = {
      name = "package";
      description = "package";
      check = isPackage;
      merge = mergeOnce;
    };

    raw = {
      name = "raw";
      description = "raw value";
      check = _: true;
      merge = mergeOnce;
    };
    # A set that is merged one level deep; the last definition of an attribute wins.
    attrs = {
      name = "attrs";
      emptyValue = { };
      description = "attribute set";
      check = builtins.isAttrs;
      merge =
        _: definitions: builtins.foldl' (merged: definition: merged // definition.value) { } definitions;
    };
    # Sets merge attribute by attribute, all else must be equal.
    anything = {
      name = "anything";
      description = "anything";
      check = _: true;
      merge =
        location: definitions:
        if builtins.all (definition: isPackage definition.value) definitions then
          mergeOnce location definitions
        else if builtins.all (definition: builtins.isAttrs definition.value) definitions then
          (types.attrsOf types.anything).merge location definitions
        else if builtins.any (definition: builtins.isFunction definition.value) definitions then
          mergeOnce location definitions
        else
          mergeEqual location definitions;
    };

    enum = values: scalar "enum" "one of ${builtins.toJSON values}" (value: builtins.elem value values);

    nullOr = type: {
      name = "nullOr";
      emptyValue = null;
      description = "null or ${type.description}";
      check = value: value == null || type.check value;
      merge =
        location: definitions:
        let
          nulls = builtins.filter (definition: definition.value == null) definitions;
        in
        if nulls == [ ] then
          type.merge location definitions
        else if builtins.length nulls == builtins.length definitions then
          null
        else
          throw "The option `${showOption location}' is defined both null and not null:${showDefinitions definitions}";
    };

    either = left: right: {
      name = "either";
      description = "${left.description} or ${right.description}";
      check = value: left.check value || right.check value;
      merge =
        location: definitions:
        if builtins.all (definition: left.check definition.value) definitions then
          left.merge location definitions
        else if builtins.all (definition: right.check definition.value) definitions then
          right.merge location definitions
        else
          mergeOnce location definitions;
    };
    oneOf =
      alternatives:
      if builtins.length alternatives == 1 then
        builtins.head alternatives
      else
        types.either (builtins.head alternatives) (types.oneOf (builtins.tail alternatives));

    listOf = type: {
      name = "listOf";
      emptyValue = [ ];
      description = "list of ${type.description}";
      check = builtins.isList;
      merge =
        location: definitions:
        let
          # Elements are merged like options of their own, so that mkIf works on an element and a
          # wrong one is named by its place.
          elementsOf =
            definitionNumber:
            let
              definition = builtins.elemAt definitions definitionNumber;
            in
            builtins.genList (
              number:
              mergeDefinitions
                (location ++ [ "[definition ${toString (definitionNumber + 1)}-entry ${toString (number + 1)}]" ])
                type
                [
                  {
                    inherit (definition) file;
                    value = builtins.elemAt definition.value number;
                  }
                ]
            ) (builtins.length definition.value);
          elements = builtins.concatLists (builtins.genList elementsOf (builtins.length definitions));
        in
        map (element: element.value) (builtins.filter (element: element.isDefined) elements);
    };

    attrsOf = type: {
      name = "attrsOf";
      emptyValue = { };
      description = "attribute set of ${type.description}";
      check = builtins.isAttrs;
      merge =
        location: definitions:
        let
          inherit (import ./properties.nix) pushDown;
          perAttribute = builtins.zipAttrsWith (_: found: found) (
            builtins.concatMap (
              definition:
              map (builtins.mapAttrs (
                _: value: {
                  inherit (definition) file;
                  inherit value;
                }
              )) (pushDown definition.value)
            ) definitions
          );
          merged = builtins.mapAttrs (
            name: found: mergeDefinitions (location ++ [ name ]) type found
          ) perAttribute;
          defined = builtins.filter (name: merged.${name}.isDefined) (builtins.attrNames merged);
        in
        builtins.listToAttrs (
          map (name: {
            inherit name;
            inherit (merged.${name}) value;
          }) defined
        );
    };

    # A set with options of its own. Takes a module or a list of modules; they get `name`, the
    # attribute under which the submodule stands.
    submodule = modules: {
      name = "submodule";
      description = "submodule";
      check = value: builtins.isAttrs value || builtins.isFunction value || builtins.isPath value;
      merge =
        location: definitions:
        withoutUnset (evaluateModules {
          prefix = location;
          specialArgs = {
            name = last location;
          };
          modules =
            (if builtins.isList modules then modules else [ modules ])
            ++ map (
              definition:
              if builtins.isAttrs definition.value then
                {
                  _file = definition.file;
                  config = definition.value;
                }
              else
                definition.value
            ) definitions;
        });
    };
  };
in
types
