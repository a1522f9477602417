# The wrappers that a module puts around a value to say when, how strongly and in which order it
# counts. They mean what they mean in nixpkgs, with the same numbers.
let
  hasType = type: value: builtins.isAttrs value && value._type or null == type;

  # A plain definition sits between mkDefault and mkForce.
  plainPriority = 100;
  plainOrder = 1000;

  # Opens mkMerge and mkIf. What is left may still carry a priority or an order.
  discharge =
    value:
    if hasType "merge" value then
      builtins.concatMap discharge value.contents
    else if hasType "if" value then
      if !builtins.isBool value.condition then
        throw "mkIf needs a Boolean as its condition, not a ${builtins.typeOf value.condition}"
      else if value.condition then
        discharge value.content
      else
        [ ]
    else
      [ value ];

  # Moves mkIf, mkMerge and mkOverride from a set down to its attributes, so that `config = mkIf c
  # { a = …; }` can be sorted by option without looking at `c`: `c` may depend on other options.
  pushDown =
    value:
    if hasType "merge" value then
      builtins.concatMap pushDown value.contents
    else if hasType "if" value then
      map (builtins.mapAttrs (_: mkIf value.condition)) (pushDown value.content)
    else if hasType "override" value then
      map (builtins.mapAttrs (_: mkOverride value.priority)) (pushDown value.content)
    else
      [ value ];

  # Of several definitions only those of the strongest priority (the lowest number) count.
  strongest =
    definitions:
    let
      priorityOf =
        definition:
        if hasType "override" definition.value then definition.value.priority else plainPriority;
      best = builtins.foldl' (
        lowest: definition:
        let
          priority = priorityOf definition;
        in
        if priority < lowest then priority else lowest
      ) 9999 definitions;
      strip =
        definition:
        if hasType "override" definition.value then
          definition // { value = definition.value.content; }
        else
          definition;
    in
    map strip (builtins.filter (definition: priorityOf definition == best) definitions);

  # A stable sort: definitions of the same order stay as they came.
  ordered =
    definitions:
    let
      unwrap =
        definition:
        if hasType "order" definition.value then
          definition
          // {
            value = definition.value.content;
            order = definition.value.priority;
          }
        else
          definition // { order = plainOrder; };
    in
    if builtins.any (definition: hasType "order" definition.value) definitions then
      builtins.sort (left: right: left.order < right.order) (map unwrap definitions)
    else
      definitions;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
in
{
  inherit
    discharge
    hasType
    mkIf
    mkMerge
    mkOrder
    mkOverride
    ordered
    pushDown
    strongest
    ;
  mkAfter = mkOrder 1500;
  mkBefore = mkOrder 500;
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  # The priority of an option's own default: weaker than anything a module says.
  mkOptionDefault = mkOverride 1500;
}
