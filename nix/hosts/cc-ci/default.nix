# The host cc-ci: its machine, what every host has, and what was generated for it.
{
  imports = [
    ./hardware.nix
    ../../modules/cc-ci.nix
    ../../../out/cc-ci
  ];
}
