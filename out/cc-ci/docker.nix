# Generated from cc-ci/docker. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:7ce8eb61000d02d19aa1b870d24e4a8881643ae20f9b1275145ca06585e8fb14
{
  config,
  lib,
  pkgs,
  ...
}:
let
  engine = config.virtualisation.docker;

  # A daemon that stops while it takes a network down may leave the network's interface. The next one then
  # cannot make it ("error creating vxlan interface: file exists"), and no task of that network starts. As
  # long as no daemon runs, every such interface is a left one. Docker names them by six digits of the
  # network's number and five characters of its id.
  removeLeftInterfaces = pkgs.writeText "remove-left-interfaces" ''
    digit='[0-9a-f]'
    for interface in /sys/class/net/vx-$digit$digit$digit$digit$digit$digit-?????; do
      [ -e "$interface" ] || continue
      name="''${interface##*/}"
      # With one that stays, Docker may work all the same.
      ${lib.getExe' pkgs.iproute2 "ip"} link delete "$name" || echo "$name was left by Docker and stays"
    done
  '';
in
{
  virtualisation.docker = {
    enable = true;
    enableOnBoot = true;
    # Rotates by itself; the journal is left to the host's own services.
    logDriver = "local";
    daemon.settings = {
      live-restore = false;
      log-opts = {
        max-file = "3";
        max-size = "10m";
      };
      shutdown-timeout = 15;
    };
  };

  systemd.services.docker.serviceConfig.ExecStartPre = [
    "${lib.getExe pkgs.bash} -e ${removeLeftInterfaces}"
  ];

  # Docker publishes its ports around the firewall; these two are the only ones that this host offers.
  networking.firewall = {
    enable = true;
    allowedTCPPorts = [
      80
      443
    ];
  };

  assertions = [
    {
      assertion = !(engine.daemon.settings.live-restore or false);
      message = "cc-ci: virtualisation.docker.daemon.settings.live-restore must be false: dockerd does not start with it once there is a swarm";
    }
    {
      assertion = engine.daemon.settings.iptables or true;
      message = "cc-ci: virtualisation.docker.daemon.settings.iptables must stay on: a swarm publishes its ports with it";
    }
    {
      assertion = config.networking.firewall.backend == "iptables" && !config.networking.nftables.enable;
      message = "cc-ci: networking.firewall.backend must be iptables and networking.nftables.enable false: Docker refuses nftables in swarm mode";
    }
    {
      assertion = (engine.daemon.settings.firewall-backend or "iptables") == "iptables";
      message = "cc-ci: virtualisation.docker.daemon.settings.firewall-backend must not be nftables: Docker refuses it in swarm mode";
    }
    {
      assertion = engine.extraOptions == "";
      message = "cc-ci: virtualisation.docker.extraOptions must be empty: dockerd does not start with a key that daemon.settings has too";
    }
    {
      assertion = !engine.autoPrune.enable;
      message = "cc-ci: virtualisation.docker.autoPrune must be off: it removes networks and images that a run needs; cc-ci-prune.service does the pruning";
    }
  ];
}
