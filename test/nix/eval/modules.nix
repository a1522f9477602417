# The module system: collects modules through their imports, builds the tree of options from what
# they declare, and gives every option the value of all definitions.
let
  inherit (import ./merge.nix) mergeDefinitions;
  inherit (import ./properties.nix) hasType mkOptionDefault pushDown;
  inherit (import ./show.nix) showDefinitions showFiles showOption;

  moduleKeys = [
    "_file"
    "config"
    "freeformType"
    "imports"
    "key"
    "options"
  ];

  # Takes the module system's library by name, because types and modules need each other.
  evaluateModules =
    {
      modules,
      lib ? import ./lib.nix,
      prefix ? [ ],
      # Given to every module, whatever it asks for.
      specialArgs ? { },
      # Given to a module that names them, as a function of the finished configuration.
      lateArgs ? _: { },
    }:
    let
      alwaysGiven = {
        inherit config lib options;
      }
      // specialArgs;
      late = lateArgs config;

      call =
        file: function:
        let
          wanted = builtins.removeAttrs (builtins.functionArgs function) (builtins.attrNames alwaysGiven);
          find =
            name: _:
            late.${name} or config._module.args.${name}
              or (throw "The module `${file}' asks for the argument `${name}', which does not exist.");
        in
        function (alwaysGiven // builtins.mapAttrs find wanted);

      # Brings a path, function or set into one form. The short form, without `config`, is a set
      # that has neither `config` nor `options`.
      load =
        parentFile: key: module:
        if builtins.isPath module || builtins.isString module then
          load (toString module) (toString module) (import module)
        else if builtins.isFunction module then
          load parentFile key (call parentFile module)
        else if !builtins.isAttrs module then
          throw "A module must be a path, a function or a set, but ${parentFile} has a ${builtins.typeOf module}."
        else
          let
            file = toString (module._file or parentFile);
            isLong = module ? config || module ? options;
            foreign = builtins.attrNames (builtins.removeAttrs module moduleKeys);
          in
          if isLong && foreign != [ ] then
            throw "Module `${file}' has an unsupported attribute `${builtins.head foreign}'. It has `config' or `options', so all definitions belong under `config'."
          else
            {
              inherit file;
              key = toString (module.key or key);
              imports = module.imports or [ ];
              options = module.options or { };
              freeformType = module.freeformType or null;
              config = if isLong then module.config or { } else builtins.removeAttrs module moduleKeys;
            };

      loadAll =
        parentFile: parentKey: list:
        builtins.genList (
          number: load parentFile "${parentKey}:${toString number}" (builtins.elemAt list number)
        ) (builtins.length list);

      # Breadth first, each key once, then turned round: what is imported speaks before whoever
      # imports it. Lists are concatenated in this order.
      collected = builtins.foldl' (reversed: module: [ module ] ++ reversed) [ ] (
        builtins.genericClosure {
          startSet = loadAll "<evaluation>" "" modules;
          operator = module: loadAll module.file module.key module.imports;
        }
      );

      freeformTypes = builtins.filter (type: type != null) (map (module: module.freeformType) collected);

      evaluateOption =
        location: declarations: definitions:
        let
          option = (builtins.head declarations).value;
          type = option.type or lib.types.anything;
          default =
            if option ? default then
              [
                {
                  file = "the option's default";
                  value = mkOptionDefault option.default;
                }
              ]
            else
              [ ];
          merged = mergeDefinitions location type (definitions ++ default);
          value = if option ? apply then option.apply merged.value else merged.value;
          checked =
            if option.readOnly or false && builtins.length (definitions ++ default) > 1 then
              throw "The option `${showOption location}' is read-only, but it is set in ${
                showFiles (map (definition: definition.file) definitions)
              }."
            else
              value;
        in
        if builtins.length declarations > 1 then
          throw "The option `${showOption location}' is declared more than once, in ${
            showFiles (map (declaration: declaration.file) declarations)
          }."
        else
          {
            config = checked;
            options = option // {
              inherit (merged) definitions;
              isDefined = default != [ ] || merged.isDefined;
              inherit type;
              # Whether a module says something, beyond the default.
              isSet = (mergeDefinitions location type definitions).isDefined;
              loc = location;
              value = checked;
            };
            unmatched = [ ];
          };

      # One level of the option tree. `declarations` and `definitions` hold sets of `file` and
      # `value`, where the value is a set for this level.
      evaluateLevel =
        location: declarations: definitions:
        let
          byName =
            list:
            builtins.zipAttrsWith (_: found: found) (
              map (
                entry:
                builtins.mapAttrs (_: value: {
                  inherit (entry) file;
                  inherit value;
                }) entry.value
              ) list
            );
          declared = byName declarations;
          defined = byName definitions;
          children = builtins.mapAttrs (
            name: found:
            let
              here = location ++ [ name ];
              values = defined.${name} or [ ];
              isOption = builtins.any (declaration: hasType "option" declaration.value) found;
              notSets = builtins.filter (definition: !builtins.isAttrs definition.value) values;
            in
            if isOption then
              evaluateOption here found values
            else if notSets != [ ] then
              throw "`${showOption here}' is a set of options, not an option. Definition values:${showDefinitions notSets}"
            else
              evaluateLevel here found (
                builtins.concatMap (
                  definition:
                  map (value: {
                    inherit (definition) file;
                    inherit value;
                  }) (pushDown definition.value)
                ) values
              )
          ) declared;
        in
        {
          config = builtins.mapAttrs (_: child: child.config) children;
          options = builtins.mapAttrs (_: child: child.options) children;
          unmatched = builtins.concatMap (
            name:
            if children ? ${name} then
              children.${name}.unmatched
            else
              map (definition: definition // { location = location ++ [ name ]; }) defined.${name}
          ) (builtins.attrNames defined);
        };

      evaluated = evaluateLevel prefix (map (module: {
        inherit (module) file;
        value = module.options;
      }) collected) allDefinitions;

      allDefinitions = builtins.concatMap (
        module:
        map (value: {
          inherit (module) file;
          inherit value;
        }) (pushDown module.config)
      ) collected;

      # What is not declared belongs to the free form, if there is one.
      free =
        if freeformTypes == [ ] then
          { }
        else
          (builtins.head freeformTypes).merge prefix (
            map (
              definition:
              definition
              // {
                value = builtins.removeAttrs definition.value (builtins.attrNames evaluated.options);
              }
            ) allDefinitions
          );

      # Modules see this one: checking here would ask a module about itself.
      config = free // evaluated.config;
      inherit (evaluated) options;

      unknown = builtins.head evaluated.unmatched;
    in
    {
      inherit options;
      config =
        if freeformTypes == [ ] && evaluated.unmatched != [ ] then
          throw "The option `${showOption unknown.location}' does not exist. Definition values:${showDefinitions [ unknown ]}"
        else
          builtins.removeAttrs config [ "_module" ];
    };
in
evaluateModules
