# What a test run does until there is a harness.
{ callPackage }:
callPackage ./host-program.nix { } {
  folder = "rehearsal";
  program = "cc-ci-rehearsal";
  description = "Stands in for the test of a recipe: says what it was asked for, and obeys a script";
}
