# Stand-ins for the packages that modules and package files may name. Each looks like a derivation
# (name, version, meta, a store path as its text) and none is ever built. A name that is not here is
# a missing attribute: add it once it is known to exist in the pinned nixpkgs.
{
  lib,
  overlays ? [ ],
}:
let
  # Forces what a derivation would be made from, so that an error in it is an error here too. What
  # is a package already is not looked into.
  force =
    value:
    if builtins.isAttrs value then
      if value ? outPath then
        builtins.seq value.outPath null
      else
        builtins.foldl' (_: name: force value.${name}) null (builtins.attrNames value)
    else if builtins.isList value then
      builtins.foldl' (_: force) null value
    else if builtins.isPath value then
      builtins.seq "${value}" null
    else
      builtins.seq value null;

  # 32 characters of the alphabet that Nix uses for hashes; the same name gives the same path.
  fakeHash =
    text:
    builtins.replaceStrings [ "e" ] [ "x" ] (
      builtins.substring 0 32 (builtins.hashString "sha256" (builtins.unsafeDiscardStringContext text))
    );

  notBuilt = [
    "meta"
    "override"
    "overrideAttrs"
    "passthru"
  ];

  mkDerivation =
    attributes:
    let
      given = if builtins.isFunction attributes then attributes package else attributes;
      name = given.name or "${given.pname}-${given.version}";
      builtFrom = builtins.removeAttrs given notBuilt;
      package =
        builtFrom
        // (given.passthru or { })
        // {
          type = "derivation";
          inherit name;
          system = "x86_64-linux";
          meta = given.meta or { };
          passthru = given.passthru or { };
          drvPath = "/nix/store/${fakeHash "${name}.drv"}-${name}.drv";
          outPath = builtins.foldl' (path: key: builtins.seq (force builtFrom.${key}) path) (
            "/nix/store/${fakeHash name}-${name}"
          ) (builtins.attrNames builtFrom);
          outputName = "out";
          outputs = [ "out" ];
          out = package;
          overrideAttrs =
            change:
            mkDerivation (
              given // (if builtins.isFunction (change given) then (change package) given else change given)
            );
        };
    in
    package;

  plain =
    name: version:
    mkDerivation {
      pname = name;
      inherit version;
    };
  program =
    name: version: mainProgram:
    mkDerivation {
      pname = name;
      inherit version;
      meta = { inherit mainProgram; };
    };

  callPackageWith =
    scope: package: overrides:
    let
      function = if builtins.isFunction package then package else import package;
      given = builtins.intersectAttrs (builtins.functionArgs function) scope // overrides;
      result = function given;
    in
    if builtins.isAttrs result then
      result
      // {
        override =
          changes:
          callPackageWith scope function (
            overrides // (if builtins.isFunction changes then changes given else changes)
          );
      }
    else
      result;

  jsonType =
    let
      inherit (lib) types;
      value =
        types.nullOr (
          types.oneOf [
            types.bool
            types.int
            types.float
            types.str
            types.path
            (types.attrsOf value)
            (types.listOf value)
          ]
        )
        // {
          # Spelled out, because the description of a type within itself has no end.
          description = "JSON value";
          check =
            candidate:
            candidate == null
            || builtins.isBool candidate
            || builtins.isInt candidate
            || builtins.isFloat candidate
            || builtins.isString candidate
            || builtins.isPath candidate
            || builtins.isAttrs candidate
            || builtins.isList candidate;
        };
    in
    value;

  shellApplication =
    { name, ... }@attributes:
    let
      known = [
        "bashOptions"
        "checkPhase"
        "derivationArgs"
        "excludeShellChecks"
        "extraShellCheckFlags"
        "inheritPath"
        "meta"
        "name"
        "passthru"
        "runtimeEnv"
        "runtimeInputs"
        "text"
      ];
      foreign = builtins.attrNames (builtins.removeAttrs attributes known);
    in
    if !(attributes ? text) then
      throw "writeShellApplication needs `text'."
    else if foreign != [ ] then
      throw "writeShellApplication does not take `${builtins.head foreign}'."
    else
      mkDerivation (
        attributes
        // {
          meta = {
            mainProgram = name;
          }
          // (attributes.meta or { });
        }
      );

  base = {
    inherit lib;
    callPackage = callPackageWith base;
    stdenv = {
      inherit mkDerivation;
      hostPlatform = {
        system = "x86_64-linux";
        isLinux = true;
        isx86_64 = true;
        isAarch64 = false;
      };
    };
    stdenvNoCC = base.stdenv;
    system = "x86_64-linux";

    # Writers. A text becomes a real file of the store that the evaluation uses, so its path changes
    # with its content.
    writeText = builtins.toFile;
    writeTextFile =
      {
        name,
        text,
        executable ? false,
        destination ? "",
        ...
      }:
      mkDerivation {
        inherit
          name
          text
          executable
          destination
          ;
      };
    writeTextDir =
      path: text:
      mkDerivation {
        name = baseNameOf path;
        inherit text;
      };
    writeShellApplication = shellApplication;
    writeShellScript = name: text: mkDerivation { inherit name text; };
    writeShellScriptBin =
      name: text:
      mkDerivation {
        inherit name text;
        meta.mainProgram = name;
      };
    runCommand =
      name: attributes: buildCommand:
      mkDerivation (attributes // { inherit name buildCommand; });
    runCommandLocal = base.runCommand;
    symlinkJoin = attributes: mkDerivation attributes;
    linkFarm = name: entries: mkDerivation { inherit name entries; };
    fetchurl =
      attributes: mkDerivation ({ name = baseNameOf (attributes.url or "source"); } // attributes);
    fetchFromGitHub = attributes: mkDerivation ({ name = "source"; } // attributes);
    formats.json = _: {
      type = jsonType;
      generate = name: value: builtins.toFile name (builtins.toJSON value);
    };
    dockerTools = {
      buildImage = image;
      buildLayeredImage = image;
      streamLayeredImage = image;
    };
    # The nodes are modules for a virtual machine, which this evaluator has no options for: their files
    # must be there, and the script's text is looked at.
    testers.runNixOSTest =
      {
        name,
        nodes,
        testScript,
      }:
      mkDerivation {
        name = "vm-test-run-${name}";
        inherit testScript;
        imported = lib.concatMap (node: map import node.imports) (lib.attrValues nodes);
      };

    # Programs
    abra = program "abra" "0.11.0-beta" "abra";
    bash = program "bash" "5.3" "bash";
    bashInteractive = program "bash-interactive" "5.3" "bash";
    cacert = plain "nss-cacert" "3.121";
    coreutils = plain "coreutils" "9.11";
    curl = program "curl" "8.19.0" "curl";
    docker = program "docker" "29.4.0" "docker";
    docker-client = program "docker" "29.4.0" "docker";
    docker_29 = base.docker;
    drone = program "drone.io" "2.26.0" "drone-server";
    drone-runner-exec = program "drone-runner-exec" "unstable-2020-04-19" "drone-runner-exec";
    findutils = plain "findutils" "4.10.0";
    gawk = program "gawk" "5.3.2" "gawk";
    git = program "git" "2.53.0" "git";
    gitMinimal = program "git-minimal" "2.53.0" "git";
    gnugrep = program "gnugrep" "3.12" "grep";
    gnused = program "gnused" "4.9" "sed";
    gnutar = program "gnutar" "1.35" "tar";
    gzip = program "gzip" "1.14" "gzip";
    htop = program "htop" "3.4.1" "htop";
    iproute2 = program "iproute2" "6.19.0" "ip";
    iptables = program "iptables" "1.8.12" "iptables";
    jq = program "jq" "1.8.1" "jq";
    esbuild = program "esbuild" "0.28.2" "esbuild";
    makeWrapper = plain "make-shell-wrapper-hook" "0";
    makeBinaryWrapper = plain "make-binary-wrapper-hook" "0";
    nix = program "nix" "2.34.0" "nix";
    nodejs_24 = program "nodejs" "24.21.0" "node";
    nodejs-slim_24 = program "nodejs-slim" "24.21.0" "node";
    openssh = program "openssh" "10.2p1" "ssh";
    openssl = program "openssl" "3.6.1" "openssl";
    procps = plain "procps" "4.0.6";
    ripgrep = program "ripgrep" "15.1.0" "rg";
    runtimeShell = "${base.bash}/bin/bash";
    shellcheck = program "shellcheck" "0.11.0" "shellcheck";
    systemd = plain "systemd" "260.1";
    tzdata = plain "tzdata" "2026a";
    glibcLocales = plain "glibc-locales" "2.42";
    util-linux = plain "util-linux" "2.41.3";
    vim = program "vim" "9.2.0" "vim";
    which = program "which" "2.23" "which";
    yq-go = program "yq-go" "4.50.1" "yq";
  };

  image =
    { name, ... }@attributes:
    mkDerivation (
      attributes
      // {
        passthru = {
          imageName = name;
          imageTag = attributes.tag or (fakeHash name);
        };
      }
    );

  # An overlay sees the finished set and the one before it.
  extended = builtins.foldl' (previous: overlay: previous // overlay extended previous) (
    base // { callPackage = callPackageWith extended; }
  ) overlays;
in
extended
