# Generated from cc-ci/abra. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:dd3e0565a6f7569fdbcbb7685501c735a6dc379b6f14c40d6012d6f92cc4290a
{ config, lib, ... }:
{
  # 'converge abra <app> …' reaches an app of ours with the state folder that is its own.
  environment.systemPackages = [ config.cc-ci.packages.converge ];

  assertions = [
    {
      assertion = lib.versionAtLeast (lib.getVersion config.cc-ci.packages.abra) "0.10";
      message = "cc-ci: cc-ci.packages.abra must be abra 0.10 or newer";
    }
  ];
}
