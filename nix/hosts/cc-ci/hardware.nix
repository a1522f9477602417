# Stands for the machine until you replace this file: run 'nixos-generate-config' on it, put the
# hardware-configuration.nix that it writes here, add the boot loader and your own access, commit.
{
  boot.loader.grub.device = "/dev/vda";

  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  nixpkgs.hostPlatform = "x86_64-linux";

  # The release of the first installation; it is never raised.
  system.stateVersion = "26.05";

  services.openssh.enable = true;
}
