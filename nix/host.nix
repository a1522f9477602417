# A host of that name: its machine, what every host has, and what was generated for it.
name: {
  imports = [
    (./hosts + "/${name}")
    ./modules/cc-ci.nix
    (../out + "/${name}")
  ];
}
