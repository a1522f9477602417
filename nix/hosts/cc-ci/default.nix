# The machine: what 'nixos-generate-config' cannot know of it. Edit this, and commit it.
{
  imports = [ ./hardware.nix ];

  boot.loader.grub.device = "/dev/vda";

  # How you get in: add your own account and key.
  services.openssh.enable = true;

  # The release of the first installation; it is never raised.
  system.stateVersion = "26.05";
}
