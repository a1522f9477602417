{
  description = "A CI server for Co-op Cloud recipes, as generated NixOS modules";

  # The full revision pins the tree without a lock file; see README.md for the flag that goes with it.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/cf5e76507c6e23b59f7e0ffcc7baa2a39ddd8442";

  outputs = inputs: import ./nix/outputs.nix inputs;
}
