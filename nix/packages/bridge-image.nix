# The bridge's image: its name, and a program that has Docker load it. No registry answers for the name, so that
# nobody else can put another image in its place; the tag changes with what is in it.
{
  callPackage,
  dockerTools,
  docker,
  nodejs-slim_24,
  writeShellApplication,
}:
let
  bridge = callPackage ./bridge.nix { };
  program = "${bridge}/share/cc-ci/cc-ci-bridge.cjs";
  node = "${nodejs-slim_24}/bin/node";
  # Node would keep many times what is in use of what it could throw away: 340 MB under many deliveries, and so 140.
  flags = [
    "--max-old-space-size=128"
    "--max-semi-space-size=4"
  ];
  command = [ node ] ++ flags ++ [ program ];

  name = "cc-ci.invalid/bridge";
  tag = builtins.substring 0 32 (
    builtins.hashString "sha256" (builtins.unsafeDiscardStringContext (toString command))
  );

  stream = dockerTools.streamLayeredImage {
    inherit name tag;
    config = {
      Cmd = command;
      # The authorities that the host trusts are mounted there; Node has its own beside them.
      Env = [ "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" ];
    };
  };
in
{
  reference = "${name}:${tag}";
  loader = writeShellApplication {
    name = "load-image";
    runtimeInputs = [ docker ];
    text = "${stream} | docker load --quiet";
  };
}
