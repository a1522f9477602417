# The program that makes a desired state true: its own TypeScript, started as it is by Node 24. The
# sources lie beside the packages and not inside of them, where Node would not strip their types.
{
  callPackage,
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

  nativeBuildInputs = [ makeWrapper ];

  dontConfigure = true;
  dontBuild = true;

  installPhase = ''
    runHook preInstall
    mkdir -p $out/share/cc-ci
    cp -r . $out/share/cc-ci
    # Not a link: packages find each other by the name of the folder that they really lie in.
    cp -r ${nodeModules} $out/share/cc-ci/node_modules
    makeWrapper ${lib.getExe nodejs_24} $out/bin/converge \
      --add-flags $out/share/cc-ci/converge/main.ts
    runHook postInstall
  '';

  meta = {
    description = "Makes one desired state of a cc-ci host true";
    license = lib.licenses.agpl3Plus;
    mainProgram = "converge";
    platforms = lib.platforms.linux;
  };
}
