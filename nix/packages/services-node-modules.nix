# The npm packages of the programs on the host. A fixed-output derivation: npm fetches from where the
# builder's configuration says, and the hash says what must come of it.
{
  cacert,
  lib,
  nodejs_24,
  stdenvNoCC,
}:
stdenvNoCC.mkDerivation {
  name = "cc-ci-services-node-modules";

  src = lib.fileset.toSource {
    root = ../../services;
    fileset = lib.fileset.unions [
      ../../services/package.json
      ../../services/package-lock.json
    ];
  };

  nativeBuildInputs = [
    cacert
    nodejs_24
  ];

  dontConfigure = true;
  dontFixup = true;

  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR
    npm ci --omit=dev --ignore-scripts
    # It records how npm was run, and so differs between versions of npm.
    rm node_modules/.package-lock.json
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    mv node_modules $out
    runHook postInstall
  '';

  outputHashMode = "recursive";
  outputHash = import ./node-modules-hash.nix;
}
