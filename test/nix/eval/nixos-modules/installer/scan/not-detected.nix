# What nixos-generate-config imports on a machine without known hardware.
{ lib, ... }:
{
  hardware.enableRedistributableFirmware = lib.mkDefault true;
}
