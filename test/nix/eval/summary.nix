# What the tests read of a configuration, of ours and of the real NixOS alike, as plain data. Reading
# it evaluates the text of every unit and file.
{ config }:
let
  select =
    predicate: set:
    builtins.removeAttrs set (
      builtins.filter (name: !(predicate set.${name})) (builtins.attrNames set)
    );
  enabled = entry: entry.enable;

  etcFile =
    file:
    {
      inherit (file) mode;
    }
    // (
      if file.text or null != null then
        { inherit (file) text; }
      else
        {
          source = "${file.source
            or (throw "environment.etc.${builtins.toJSON file.target} has neither text nor source.")
          }";
        }
    );

  inherit (config.virtualisation) docker;
  inherit (config.networking) firewall;
in
{
  failedAssertions = map (entry: entry.message) (
    builtins.filter (entry: !entry.assertion) config.assertions
  );
  inherit (config) warnings;
  units = builtins.mapAttrs (_: unit: {
    inherit (unit) text wantedBy requiredBy;
  }) (select enabled config.systemd.units);
  etc = builtins.listToAttrs (
    map (file: {
      name = file.target;
      value = etcFile file;
    }) (builtins.attrValues (select enabled config.environment.etc))
  );
  inherit (config.networking) hosts;
  tmpfiles = config.systemd.tmpfiles.rules;
  # Some releases keep their script among the checks.
  preSwitchChecks = builtins.removeAttrs config.system.preSwitchChecks [ "script" ];
  users = map (user: {
    inherit (user) name group extraGroups;
    home = "${user.home}";
  }) (builtins.attrValues config.users.users);
  groups = map (group: group.name) (builtins.attrValues config.users.groups);
  docker = {
    inherit (docker) enable liveRestore;
    package = "${docker.package}";
    inherit (docker.daemon) settings;
    autoPrune = {
      inherit (docker.autoPrune) enable dates flags;
    };
  };
  firewall = {
    inherit (firewall)
      allowedTCPPorts
      allowedUDPPorts
      backend
      enable
      ;
  };
}
