# The program that makes a desired state true.
{ callPackage }:
callPackage ./host-program.nix { } {
  folder = "converge";
  program = "converge";
  description = "Makes one desired state of a cc-ci host true";
}
