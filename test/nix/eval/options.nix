# All options that a module may set: those of NixOS that a server of this kind has a use for, with
# the types that NixOS gives them. Setting any other is an error.
{
  imports = [
    ./options/docker.nix
    ./options/host.nix
    ./options/network.nix
    ./options/systemd.nix
    ./options/users.nix
  ];
}
