# The program on both sides of the run boundary.
{ callPackage }:
callPackage ./host-program.nix { } {
  folder = "run";
  program = "cc-ci-run";
  description = "Asks a cc-ci host for a test run, and gives it one";
}
