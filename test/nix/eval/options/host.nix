# What a host says about itself: boot, file systems, etc, Nix, and the assertions that NixOS makes.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;

  bool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  freeForm = mkOption {
    type = types.attrsOf types.anything;
    default = { };
  };

  etcFile =
    { name, ... }:
    {
      options = {
        enable = bool true;
        target = mkOption {
          type = types.str;
          default = name;
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
        };
        # No default: a file of neither text nor source is an error when it is used.
        source = mkOption { type = types.path; };
        mode = mkOption {
          type = types.str;
          default = "symlink";
        };
        user = mkOption {
          type = types.str;
          default = "+0";
        };
        group = mkOption {
          type = types.str;
          default = "+0";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
        };
        gid = mkOption {
          type = types.int;
          default = 0;
        };
      };
    };

  fileSystem = {
    options = {
      device = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
      };
      fsType = mkOption {
        type = types.nonEmptyStr;
        default = "auto";
      };
      label = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
      };
      options = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ "defaults" ];
      };
      neededForBoot = bool false;
      autoResize = bool false;
      noCheck = bool false;
    };
  };

  swapDevice = {
    options = {
      device = mkOption { type = types.nonEmptyStr; };
      size = mkOption {
        type = types.nullOr types.int;
        default = null;
      };
      priority = mkOption {
        type = types.nullOr types.int;
        default = null;
      };
      randomEncryption.enable = bool false;
    };
  };

  systemd = config.systemd;
  hasGrub = config.boot.loader.grub.enable;
in
{
  options = {
    _module.args = mkOption {
      type = types.attrsOf types.raw;
      default = { };
    };
    assertions = mkOption {
      default = [ ];
      type = types.listOf (
        types.submodule {
          options.assertion = mkOption { type = types.bool; };
          options.message = mkOption { type = types.str; };
        }
      );
    };
    warnings = strings;

    environment = {
      etc = mkOption {
        type = types.attrsOf (types.submodule etcFile);
        default = { };
      };
      systemPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
      };
      variables = mkOption {
        type = types.attrsOf (
          types.oneOf [
            types.str
            types.int
            types.path
          ]
        );
        default = { };
      };
    };

    boot = {
      isContainer = bool false;
      kernelModules = strings;
      extraModulePackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
      };
      kernelParams = strings;
      supportedFilesystems = mkOption {
        type = types.either (types.listOf types.str) (types.attrsOf types.bool);
        default = { };
      };
      kernel.sysctl = mkOption {
        default = { };
        type = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.bool
              types.int
              types.str
            ]
          )
        );
      };
      tmp.cleanOnBoot = bool false;
      tmp.useTmpfs = bool false;
      initrd = {
        availableKernelModules = strings;
        kernelModules = strings;
      };
      loader = {
        timeout = mkOption {
          type = types.nullOr types.int;
          default = 5;
        };
        efi.canTouchEfiVariables = bool false;
        efi.efiSysMountPoint = mkOption {
          type = types.str;
          default = "/boot";
        };
        systemd-boot = {
          enable = bool false;
          configurationLimit = mkOption {
            type = types.nullOr types.int;
            default = null;
          };
        };
        grub = {
          enable = bool (!config.boot.isContainer);
          device = mkOption {
            type = types.str;
            default = "";
          };
          devices = strings;
          efiSupport = bool false;
          efiInstallAsRemovable = bool false;
          configurationLimit = mkOption {
            type = types.int;
            default = 100;
          };
        };
      };
    };
    fileSystems = mkOption {
      type = types.attrsOf (types.submodule fileSystem);
      default = { };
    };
    swapDevices = mkOption {
      type = types.listOf (types.submodule swapDevice);
      default = [ ];
    };
    zramSwap.enable = bool false;
    hardware = {
      enableRedistributableFirmware = bool false;
      cpu.intel.updateMicrocode = bool false;
      cpu.amd.updateMicrocode = bool false;
    };

    system = {
      stateVersion = mkOption {
        type = types.str;
        default = "26.05";
      };
      preSwitchChecks = mkOption {
        type = types.attrsOf types.str;
        default = { };
      };
      configurationRevision = mkOption {
        type = types.nullOr types.str;
        default = null;
      };
    };
    nix = {
      settings = freeForm;
      gc = {
        automatic = bool false;
        dates = mkOption {
          type = types.either types.singleLineStr (types.listOf types.str);
          default = [ "03:15" ];
        };
        options = mkOption {
          type = types.singleLineStr;
          default = "";
        };
        randomizedDelaySec = mkOption {
          type = types.singleLineStr;
          default = "0";
        };
        persistent = bool true;
      };
      optimise.automatic = bool false;
      channel.enable = bool true;
    };
    nixpkgs = {
      hostPlatform = mkOption {
        type = types.either types.str types.attrs;
        default = "x86_64-linux";
      };
      overlays = mkOption {
        type = types.listOf types.raw;
        default = [ ];
      };
      config = {
        allowUnfree = bool false;
        allowUnfreePredicate = mkOption {
          type = types.raw // {
            description = "function from a package to a Boolean";
            check = builtins.isFunction;
          };
          default = _: false;
        };
      };
    };

    time.timeZone = mkOption {
      type = types.nullOr (
        types.strMatching "[^ ]*"
        // {
          description = "string without spaces";
        }
      );
      default = null;
    };
    i18n.defaultLocale = mkOption {
      type = types.str;
      default = "en_US.UTF-8";
    };
    console.keyMap = mkOption {
      type = types.either types.str types.path;
      default = "us";
    };
    documentation.enable = bool true;
    documentation.nixos.enable = bool true;
    programs = {
      git.enable = bool false;
      vim.enable = bool false;
      ssh.knownHosts = mkOption {
        default = { };
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options.hostNames = mkOption {
                type = types.listOf types.str;
                default = [ name ];
              };
              options.publicKey = mkOption {
                type = types.nullOr types.str;
                default = null;
              };
            }
          )
        );
      };
    };
    security = {
      sudo.enable = bool true;
      sudo.wheelNeedsPassword = bool true;
      polkit.enable = bool false;
      pki.certificateFiles = mkOption {
        type = types.listOf types.path;
        default = [ ];
      };
    };
    services = {
      journald.extraConfig = mkOption {
        type = types.lines;
        default = "";
      };
      qemuGuest.enable = bool false;
      fstrim.enable = bool false;
      timesyncd.enable = bool true;
      fail2ban.enable = bool false;
    };
  };

  config = {
    boot.loader.grub.enable = lib.mkIf config.boot.loader.systemd-boot.enable (lib.mkDefault false);

    assertions = [
      {
        assertion = config.boot.isContainer || config.fileSystems ? "/";
        message = "The ‘fileSystems’ option does not specify your root file system.";
      }
      {
        assertion =
          config.boot.isContainer
          || config.boot.loader.systemd-boot.enable
          || !hasGrub
          || config.boot.loader.grub.device != ""
          || config.boot.loader.grub.devices != [ ];
        message = "You must set the option ‘boot.loader.grub.devices’ or 'boot.loader.grub.mirroredBoots' to make the system bootable.";
      }
    ];
    warnings =
      lib.optional (
        !options.system.stateVersion.isSet
      ) "system.stateVersion is not set, defaulting to ${config.system.stateVersion}."
      ++ lib.concatLists (
        lib.mapAttrsToList (
          name: service:
          let
            keys = service.serviceConfig;
          in
          lib.optional
            (
              keys.Type or "" == "oneshot"
              && builtins.elem (keys.Restart or "no") [
                "always"
                "on-success"
              ]
            )
            "Service '${name}.service' with 'Type=oneshot' cannot have 'Restart=always' or 'Restart=on-success'"
          ++ lib.optional (
            builtins.elem "network-online.target" service.after
            && !(builtins.elem "network-online.target" (service.wants ++ service.requires ++ service.bindsTo))
          ) "${name}.service is ordered after 'network-online.target' but doesn't depend on it"
          ++ lib.optional (
            keys ? StartLimitInterval
          ) "Service '${name}.service' is using deprecated 'StartLimitInterval': use startLimitIntervalSec"
          ++ lib.optional (
            keys ? StartLimitBurst
          ) "Service '${name}.service' has 'StartLimitBurst' in [Service]: use startLimitBurst"
        ) systemd.services
      );
  };
}
