# users.users and users.groups.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.users;

  optionalString = mkOption {
    type = types.nullOr types.str;
    default = null;
  };
  bool = mkOption {
    type = types.bool;
    default = false;
  };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  id = mkOption {
    type = types.nullOr types.int;
    default = null;
  };
  accountName = types.strMatching "[a-zA-Z0-9_.][a-zA-Z0-9_.-]*[$]?";

  user =
    { name, config, ... }:
    {
      options = {
        name = mkOption { type = accountName; };
        uid = id;
        isSystemUser = bool;
        isNormalUser = bool;
        group = mkOption {
          type = types.str;
          default = "";
        };
        extraGroups = strings;
        home = mkOption {
          type = types.path;
          default = "/var/empty";
        };
        createHome = bool;
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
        };
        description = mkOption {
          type = types.singleLineStr;
          default = "";
        };
        shell = mkOption {
          type = types.nullOr (types.either types.path types.package);
          default = null;
        };
        linger = mkOption {
          type = types.nullOr types.bool;
          default = false;
        };
        hashedPassword = optionalString;
        hashedPasswordFile = optionalString;
        initialHashedPassword = optionalString;
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.singleLineStr;
          default = [ ];
        };
        openssh.authorizedKeys.keyFiles = mkOption {
          type = types.listOf types.path;
          default = [ ];
        };
      };
      config = {
        name = lib.mkDefault name;
        # A normal user lives in /home with the group users, unless the module says otherwise.
        group = lib.mkIf config.isNormalUser (lib.mkDefault "users");
        home = lib.mkIf config.isNormalUser (lib.mkDefault "/home/${config.name}");
        createHome = lib.mkIf config.isNormalUser (lib.mkDefault true);
      };
    };

  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = accountName;
          default = name;
        };
        gid = id;
        members = strings;
      };
    };

  canLogIn =
    account:
    account.hashedPassword != null
    || account.hashedPasswordFile != null
    || account.openssh.authorizedKeys.keys != [ ]
    || account.openssh.authorizedKeys.keyFiles != [ ];
in
{
  options.users = {
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
    };
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
    };
  };

  config.users = {
    users.root = {
      group = "root";
      home = lib.mkDefault "/root";
    };
    groups = {
      root.gid = 0;
      wheel.gid = 1;
      users.gid = 100;
      systemd-journal.gid = 62;
      nogroup.gid = 65534;
    };
  };

  config.assertions =
    builtins.concatMap (name: [
      {
        assertion = name == "root" || cfg.users.${name}.isSystemUser != cfg.users.${name}.isNormalUser;
        message = "Exactly one of users.users.${name}.isSystemUser and users.users.${name}.isNormalUser must be set.";
      }
      {
        assertion = cfg.users.${name}.group != "";
        message = "users.users.${name}.group is unset. This used to default to nogroup, but this is unsafe.";
      }
      {
        assertion = cfg.users.${name}.group == "" || builtins.hasAttr cfg.users.${name}.group cfg.groups;
        message = "The group `${cfg.users.${name}.group}' of users.users.${name} is not declared in users.groups.";
      }
    ]) (builtins.attrNames cfg.users)
    ++ [
      {
        assertion =
          cfg.mutableUsers
          || config.boot.isContainer
          || builtins.any (
            account: (account.name == "root" || builtins.elem "wheel" account.extraGroups) && canLogIn account
          ) (builtins.attrValues cfg.users);
        message = "With users.mutableUsers = false neither root nor a user of the group wheel has a password or a key: nobody could log in.";
      }
    ];
}
