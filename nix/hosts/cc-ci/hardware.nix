# Stands for the machine until you replace this file: run 'nixos-generate-config' on it, and put the
# hardware-configuration.nix that it writes here, under this name.
{
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  nixpkgs.hostPlatform = "x86_64-linux";
}
