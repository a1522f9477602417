# The text of unit files, as NixOS writes them (checked against the real one in nixos-agrees.test.ts).
{ pkgs }:
let
  value =
    atom:
    if atom == true then
      "true"
    else if atom == false then
      "false"
    else
      toString atom;

  # Sorted by key, which is the order of a set in Nix. A list repeats its key.
  section =
    keys:
    builtins.concatStringsSep "" (
      builtins.concatMap (
        name:
        map (atom: "${name}=${value atom}\n") (
          if builtins.isList keys.${name} then keys.${name} else [ keys.${name} ]
        )
      ) (builtins.attrNames keys)
    );

  # The triggers themselves stand in a file of their own, so that their text cannot break the unit.
  triggerFile =
    key: name: triggers:
    let
      flat = item: if builtins.isList item then builtins.concatMap flat item else [ item ];
      text = item: if builtins.isPath item then "${item}" else toString item;
    in
    "${pkgs.writeText "${key}-${name}" (builtins.concatStringsSep " " (map text (flat triggers)))}";

  # Options of the unit that are written as a key of [Unit]: only those that are set.
  unitKeys =
    name: unit: isSet:
    let
      lists = {
        Requires = unit.requires;
        Wants = unit.wants;
        Upholds = unit.upholds;
        After = unit.after;
        Before = unit.before;
        BindsTo = unit.bindsTo;
        PartOf = unit.partOf;
        Conflicts = unit.conflicts;
        Requisite = unit.requisite;
        OnFailure = unit.onFailure;
        OnSuccess = unit.onSuccess;
        Documentation = unit.documentation;
      };
      when = condition: keys: if condition then keys else { };
    in
    builtins.foldl' (
      keys: key: keys // when (lists.${key} != [ ]) { ${key} = toString lists.${key}; }
    ) { } (builtins.attrNames lists)
    // when (unit.description != "") { Description = unit.description; }
    // when (unit.restartTriggers != [ ]) {
      X-Restart-Triggers = triggerFile "X-Restart-Triggers" name unit.restartTriggers;
    }
    // when (unit.reloadTriggers != [ ]) {
      X-Reload-Triggers = triggerFile "X-Reload-Triggers" name unit.reloadTriggers;
    }
    // when (isSet "startLimitIntervalSec") {
      StartLimitIntervalSec = toString unit.startLimitIntervalSec;
    }
    // when (isSet "startLimitBurst") { StartLimitBurst = toString unit.startLimitBurst; };

  unitSection = unit: "[Unit]\n${section unit.unitConfig}\n";

  install =
    unit:
    if unit.wantedBy == [ ] then
      ""
    else
      "\n[Install]\nWantedBy=${builtins.concatStringsSep " " unit.wantedBy}\n";

  # The quoting of JSON is the quoting of systemd here. `%` is not escaped: a specifier works.
  environmentLines =
    environment:
    builtins.concatStringsSep "" (
      map (
        name:
        if environment.${name} == null then
          ""
        else
          "Environment=${builtins.toJSON "${name}=${environment.${name}}"}\n"
      ) (builtins.attrNames environment)
    );

  flag = condition: line: if condition then "${line}\n" else "";
in
{
  inherit unitKeys;

  target = unit: unitSection unit;

  # `globalEnvironment` is what NixOS gives every service; a unit's own value replaces it.
  service =
    globalEnvironment: unit:
    unitSection unit
    + "[Service]\n"
    + environmentLines (globalEnvironment // unit.environment)
    + flag unit.reloadIfChanged "X-ReloadIfChanged=true"
    + flag (!unit.reloadIfChanged && !unit.restartIfChanged) "X-RestartIfChanged=false"
    + flag (!unit.stopIfChanged) "X-StopIfChanged=false"
    + flag unit.notSocketActivated "X-NotSocketActivated=true"
    + section unit.serviceConfig
    + install unit;

  socket =
    unit:
    let
      listen =
        key: addresses: builtins.concatStringsSep "\n" (map (address: "${key}=${address}") addresses);
    in
    unitSection unit
    + "[Socket]\n"
    + section unit.socketConfig
    + "\n${listen "ListenStream" unit.listenStreams}\n${listen "ListenDatagram" unit.listenDatagrams}\n"
    + install unit;

  timer = unit: unitSection unit + "[Timer]\n" + section unit.timerConfig + "\n" + install unit;
  path = unit: unitSection unit + "[Path]\n" + section unit.pathConfig + "\n" + install unit;
  slice = unit: unitSection unit + "[Slice]\n" + section unit.sliceConfig + "\n" + install unit;
}
