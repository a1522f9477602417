# Generated from cc-ci. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:2c334afb96d011eec4c63132f9e6399a2f2cde74f6a7a1c9d16ff6324c6a0063
{
  imports = [
    ./abra.nix
    ./docker.nix
    ./host.nix
    ./network-proxy.nix
    ./prune.nix
    ./retire.nix
    ./swarm.nix
    ./target.nix
    ./traefik.nix
  ];
}
