# networking.*, and services.openssh.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;

  ports = mkOption {
    type = types.listOf types.port;
    default = [ ];
    apply = list: builtins.sort builtins.lessThan (lib.unique list);
  };
  portRanges = mkOption {
    type = types.listOf (types.attrsOf types.port);
    default = [ ];
  };
  openPorts = {
    allowedTCPPorts = ports;
    allowedUDPPorts = ports;
    allowedTCPPortRanges = portRanges;
    allowedUDPPortRanges = portRanges;
  };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  bool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  lines = mkOption {
    type = types.lines;
    default = "";
  };
  address = mkOption {
    default = [ ];
    type = types.listOf (
      types.submodule {
        options.address = mkOption { type = types.str; };
        options.prefixLength = mkOption { type = types.ints.between 0 128; };
      }
    );
  };
  gateway = mkOption {
    default = null;
    type = types.nullOr (
      types.either types.str (
        types.submodule {
          options.address = mkOption { type = types.str; };
          options.interface = mkOption {
            type = types.nullOr types.str;
            default = null;
          };
        }
      )
    );
  };
in
{
  options.networking = {
    # A label of a domain name: letters, digits and inner dashes, 63 at most.
    hostName = mkOption {
      type = types.strMatching "|[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?";
      default = "nixos";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    hostId = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
    };
    nameservers = strings;
    useDHCP = bool true;
    useNetworkd = bool false;
    enableIPv6 = bool true;
    defaultGateway = gateway;
    defaultGateway6 = gateway;
    interfaces = mkOption {
      default = { };
      type = types.attrsOf (
        types.submodule {
          options.useDHCP = mkOption {
            type = types.nullOr types.bool;
            default = null;
          };
          options.ipv4.addresses = address;
          options.ipv6.addresses = address;
        }
      );
    };
    nftables.enable = bool false;
    firewall = openPorts // {
      enable = bool true;
      backend = mkOption {
        type = types.enum [
          "firewalld"
          "iptables"
          "nftables"
        ];
        default = if cfg.nftables.enable then "nftables" else "iptables";
      };
      allowPing = bool true;
      checkReversePath = mkOption {
        type = types.either types.bool (
          types.enum [
            "loose"
            "strict"
          ]
        );
        default = true;
      };
      extraCommands = lines;
      extraStopCommands = lines;
      interfaces = mkOption {
        default = { };
        type = types.attrsOf (types.submodule { options = openPorts; });
      };
      logRefusedConnections = bool true;
      trustedInterfaces = strings;
    };
  };

  options.services.openssh = {
    enable = bool false;
    openFirewall = bool true;
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
    };
    settings = mkOption {
      default = { };
      type = types.submodule {
        freeformType = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.bool
              types.int
              types.str
              (types.listOf types.str)
            ]
          )
        );
        options.PasswordAuthentication = mkOption {
          type = types.nullOr types.bool;
          default = true;
        };
        options.KbdInteractiveAuthentication = mkOption {
          type = types.nullOr types.bool;
          default = true;
        };
        options.PermitRootLogin = mkOption {
          type = types.nullOr (
            types.enum [
              "forced-commands-only"
              "no"
              "prohibit-password"
              "without-password"
              "yes"
            ]
          );
          default = "prohibit-password";
        };
      };
    };
  };

  config.networking.firewall = {
    trustedInterfaces = [ "lo" ];
    allowedTCPPorts = lib.mkIf (
      config.services.openssh.enable && config.services.openssh.openFirewall
    ) config.services.openssh.ports;
  };
  config.assertions = [
    {
      assertion =
        cfg.firewall.backend == "iptables"
        || (cfg.firewall.extraCommands == "" && cfg.firewall.extraStopCommands == "");
      message = "networking.firewall.extraCommands works with the iptables backend only.";
    }
  ];
}
