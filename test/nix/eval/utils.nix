# The module argument `utils`: the few functions that a unit may need.
let
  # What systemd would read as a specifier or a variable is doubled; JSON's quoting is systemd's.
  escapeSystemdExecArg =
    argument:
    let
      text =
        if builtins.isPath argument then
          "${argument}"
        else if builtins.isString argument then
          argument
        else if builtins.isInt argument || builtins.isFloat argument then
          toString argument
        else if builtins.isAttrs argument && argument ? outPath then
          "${argument}"
        else
          throw "escapeSystemdExecArg takes a string, a path, a number or a package";
    in
    builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON text);
in
{
  inherit escapeSystemdExecArg;
  escapeSystemdExecArgs =
    arguments: builtins.concatStringsSep " " (map escapeSystemdExecArg arguments);
}
