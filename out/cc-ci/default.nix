# Generated from cc-ci. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:f19332d0a2e0b39df136388e5e2f624e03dbd533b8f501e2a88695e720710e14
{
  imports = [
    ./abra.nix
    ./docker.nix
    ./host.nix
    ./network-proxy.nix
    ./retire.nix
    ./swarm.nix
    ./target.nix
    ./traefik.nix
  ];
}
