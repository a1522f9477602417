# The outputs of the flake. A host is a folder in out/; host.nix adds its machine.
{ self, nixpkgs, ... }:
let
  inherit (nixpkgs) lib;

  systems = [
    "aarch64-linux"
    "x86_64-linux"
  ];
  forEachSystem = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

  hosts = lib.attrNames (lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir ../out));
in
{
  nixosModules.default = ./modules/cc-ci.nix;

  nixosConfigurations = lib.genAttrs hosts (
    host: lib.nixosSystem { modules = [ (import ./host.nix host) ]; }
  );

  packages = forEachSystem (pkgs: {
    bridge = pkgs.callPackage ./packages/bridge.nix { };
    converge = pkgs.callPackage ./packages/converge.nix { };
    rehearsal = pkgs.callPackage ./packages/rehearsal.nix { };
    run = pkgs.callPackage ./packages/run.nix { };
  });

  # Every host is evaluated to the derivation of its system, without building the system, and booted as
  # a virtual machine ('nix build .#checks.x86_64-linux.cc-ci-boots' for that one alone).
  checks = forEachSystem (
    pkgs:
    lib.listToAttrs (
      lib.concatMap (
        host:
        let
          system = self.nixosConfigurations.${host}.config.system.build.toplevel;
        in
        [
          {
            name = host;
            value = pkgs.writeText "evaluated-${host}" (builtins.unsafeDiscardStringContext system.drvPath);
          }
          {
            name = "${host}-boots";
            value = import ./checks/host.nix { inherit host lib pkgs; };
          }
        ]
      ) hosts
    )
  );

  formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);

  devShells = forEachSystem (pkgs: {
    default = pkgs.mkShellNoCC {
      packages = [
        pkgs.git
        pkgs.go
        pkgs.nixfmt
        pkgs.nodejs_24
        pkgs.shellcheck
      ];
    };
  });
}
