# The program that makes a desired state true: its TypeScript and the packages that it needs in one
# file, which Node 24 starts in half the time that some two hundred files would take it.
{
  callPackage,
  esbuild,
  lib,
  makeWrapper,
  nodejs_24,
  stdenvNoCC,
}:
let
  nodeModules = callPackage ./services-node-modules.nix { };
in
stdenvNoCC.mkDerivation {
  pname = "cc-ci-converge";
  version = "1";

  src = lib.fileset.toSource {
    root = ../../services;
    fileset = lib.fileset.unions [
      ../../services/converge
      ../../services/package.json
    ];
  };

  nativeBuildInputs = [
    esbuild
    makeWrapper
  ];

  dontConfigure = true;

  buildPhase = ''
    runHook preBuild
    ln -s ${nodeModules} node_modules
    esbuild converge/main.ts --bundle --platform=node --target=node24 --format=cjs --outfile=converge.cjs
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    install -D -m 444 converge.cjs $out/share/cc-ci/converge.cjs
    # The units have the same folder; who may not write there goes without.
    makeWrapper ${lib.getExe nodejs_24} $out/bin/converge \
      --set-default NODE_COMPILE_CACHE /var/cache/cc-ci/converge \
      --add-flags $out/share/cc-ci/converge.cjs
    runHook postInstall
  '';

  meta = {
    description = "Makes one desired state of a cc-ci host true";
    license = lib.licenses.agpl3Plus;
    mainProgram = "converge";
    platforms = lib.platforms.linux;
  };
}
