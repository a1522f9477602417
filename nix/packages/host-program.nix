# A program of the host: its TypeScript and the packages that it needs in one file, which Node 24 starts
# in half the time that some two hundred files would take it.
{
  callPackage,
  esbuild,
  lib,
  makeWrapper,
  nodejs_24,
  stdenvNoCC,
}:
{
  # Its folder in services/.
  folder,
  # What it is called on the host.
  program,
  description,
}:
let
  nodeModules = callPackage ./services-node-modules.nix { };
in
stdenvNoCC.mkDerivation {
  pname = "cc-ci-${folder}";
  version = "1";

  src = lib.fileset.toSource {
    root = ../../services;
    fileset = lib.fileset.unions [
      (../../services + "/${folder}")
      ../../services/lib
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
    esbuild ${folder}/main.ts --bundle --platform=node --target=node24 --format=cjs --outfile=${program}.cjs
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    install -D -m 444 ${program}.cjs $out/share/cc-ci/${program}.cjs
    # The units have the same folder; who may not write there goes without. Node has authorities of its own,
    # and the host may trust others too.
    makeWrapper ${lib.getExe nodejs_24} $out/bin/${program} \
      --set-default NODE_COMPILE_CACHE /var/cache/cc-ci/${folder} \
      --set-default NODE_EXTRA_CA_CERTS /etc/ssl/certs/ca-certificates.crt \
      --add-flags $out/share/cc-ci/${program}.cjs
    runHook postInstall
  '';

  meta = {
    inherit description;
    license = lib.licenses.agpl3Plus;
    mainProgram = program;
    platforms = lib.platforms.linux;
  };
}
