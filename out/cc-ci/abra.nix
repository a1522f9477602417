# Generated from cc-ci/abra. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:047d922e851c5e4321ef3eb732541639f347be379c3aa01de82d6aebd413414e
{ config, lib, ... }:
let
  # Empty for a package that names none.
  version = lib.getVersion config.cc-ci.packages.abra;
in
{
  # 'converge abra <app> …' reaches an app of ours with the state folder that is its own.
  environment.systemPackages = [
    config.cc-ci.packages.abra
    config.cc-ci.packages.converge
  ];

  assertions = [
    {
      assertion = version == "" || lib.versionAtLeast version "0.10";
      message = "cc-ci: cc-ci.packages.abra must be abra 0.10 or newer";
    }
  ];
}
