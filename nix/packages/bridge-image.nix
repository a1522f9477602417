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

  image = {
    name = "cc-ci.invalid/bridge";
    config = {
      Cmd = command;
      # The authorities that the host trusts are mounted there; Node has its own beside them.
      Env = [ "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" ];
    };
  };
  # Of all that the image is made of: a path of the store is another one where something else is in it.
  tag = builtins.substring 0 32 (
    builtins.hashString "sha256" (builtins.unsafeDiscardStringContext (builtins.toJSON image))
  );

  stream = dockerTools.streamLayeredImage (image // { inherit tag; });
in
{
  reference = "${image.name}:${tag}";
  loader = writeShellApplication {
    name = "load-image";
    runtimeInputs = [ docker ];
    text = "${stream} | docker load --quiet";
  };
}
