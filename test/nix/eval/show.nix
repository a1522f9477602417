# How options, values and definitions are named in error messages. The wording follows nixpkgs, so
# that what a person finds about a message there helps here too.
let
  plainName = name: builtins.match "[A-Za-z_][A-Za-z0-9_'-]*" name != null;

  showOption =
    location:
    builtins.concatStringsSep "." (
      map (name: if plainName name then name else builtins.toJSON name) location
    );

  # One level deep: enough to find the definition, and it never evaluates what might fail itself.
  showValue =
    value:
    if builtins.isAttrs value then
      if value.type or null == "derivation" then
        "<package>"
      else if value == { } then
        "{ }"
      else
        "{ ${builtins.concatStringsSep " " (map (name: "${name} = …;") (builtins.attrNames value))} }"
    else if builtins.isList value then
      if value == [ ] then "[ ]" else "[ ${builtins.concatStringsSep " " (map showElement value)} ]"
    else
      showElement value;

  showElement =
    value:
    if builtins.isAttrs value || builtins.isList value then
      "…"
    else if builtins.isFunction value then
      "<function>"
    else if builtins.isPath value then
      toString value
    else
      builtins.toJSON value;

  showDefinitions =
    definitions:
    builtins.concatStringsSep "" (
      map (definition: "\n- In `${definition.file}': ${showValue definition.value}") definitions
    );

  showFiles = files: builtins.concatStringsSep " and " (map (file: "`${file}'") files);
in
{
  inherit showDefinitions showFiles showOption;
}
