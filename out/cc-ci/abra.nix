# Generated from cc-ci/abra. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:cd6a78a86060e1a79887aaf4fbf20c94e35eb915358f325bdf888a8cc0a77118
{ config, lib, ... }:
let
  # Empty for a package that names none.
  version = lib.getVersion config.cc-ci.packages.abra;
in
{
  # 'converge abra <app> …' reaches an app of ours with the state folder that is its own, and 'converge
  # plan' reads the recipes with git.
  environment.systemPackages = [
    config.cc-ci.packages.abra
    config.cc-ci.packages.converge
    config.cc-ci.packages.git
  ];

  assertions = [
    {
      assertion = version == "" || lib.versionAtLeast version "0.10";
      message = "cc-ci: cc-ci.packages.abra must be abra 0.10 or newer";
    }
  ];
}
