# The program between pull requests and Drone; it runs in a container of its own.
{ callPackage }:
callPackage ./host-program.nix { } {
  folder = "bridge";
  program = "cc-ci-bridge";
  description = "Has recipes tested when somebody asks for it on a pull request";
}
