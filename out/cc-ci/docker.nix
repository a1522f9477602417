# Generated from cc-ci/docker. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:6b3d1f1b1b627e820120e3cf41adae578fc25b0ed0eaf5750884c6299882c9f2
{ config, ... }:
let
  engine = config.virtualisation.docker;
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
