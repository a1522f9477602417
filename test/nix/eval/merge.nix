# Turns all definitions of one option into its value.
let
  inherit (import ./properties.nix) discharge ordered strongest;
  inherit (import ./show.nix) showDefinitions showFiles showOption;

  # Gives `isDefined`, `definitions` (the ones that count) and `value`. `definitions` are sets of
  # `file` and `value`. A value of the wrong type is an error that names option and file.
  mergeDefinitions =
    location: type: definitions:
    let
      discharged = builtins.concatMap (
        definition:
        map (value: {
          inherit (definition) file;
          inherit value;
        }) (discharge definition.value)
      ) definitions;
      counting = ordered (strongest discharged);
      wrong = builtins.filter (definition: !(type.check definition.value)) counting;
    in
    {
      isDefined = counting != [ ];
      definitions = counting;
      value =
        if counting == [ ] && type ? emptyValue then
          type.emptyValue
        else if counting == [ ] then
          throw "The option `${showOption location}' is used but has no value. Set it."
        else if wrong != [ ] then
          throw "A definition for option `${showOption location}' is not of type `${type.description}'. Definition values:${showDefinitions wrong}"
        else
          type.merge location counting;
    };

  # For scalars: saying the same thing twice is fine, saying two things is not.
  mergeEqual =
    location: definitions:
    let
      first = builtins.head definitions;
    in
    if builtins.all (definition: definition.value == first.value) definitions then
      first.value
    else
      throw "The option `${showOption location}' has conflicting definition values:${showDefinitions definitions}";

  # For values that cannot be compared (packages, functions).
  mergeOnce =
    location: definitions:
    if builtins.length definitions == 1 then
      (builtins.head definitions).value
    else
      throw "The option `${showOption location}' is defined more than once, in ${
        showFiles (map (definition: definition.file) definitions)
      }";
in
{
  inherit mergeDefinitions mergeEqual mergeOnce;
}
