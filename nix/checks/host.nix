# Boots a generated host as a virtual machine of NixOS itself. It has no network, so the recipe cannot
# be fetched: what is shown is that the units come up under the real NixOS, that the swarm and its
# networks converge, that a piece that waits for the outside fails no boot, and that nothing is done twice.
{
  lib,
  pkgs,
  host,
}:
let
  folder = ../../out + "/${host}";
  documents = map (name: lib.importJSON (folder + "/${name}")) (
    lib.filter (lib.hasSuffix ".json") (lib.attrNames (builtins.readDir folder))
  );
  demands = map (resource: resource // resource.demand) (
    lib.filter (resource: resource.kind == "host-file") (
      lib.concatMap (document: document.resources or [ ]) documents
    )
  );
  certificates = lib.filter (demand: demand.format == "certificate-chain") demands;

  selfSigned = pkgs.writeShellScript "self-signed" (
    lib.concatMapStringsSep "\n" (demand: ''
      mkdir -p "$(dirname ${lib.escapeShellArg demand.path})" "$(dirname ${lib.escapeShellArg demand.keyFile})"
      ${lib.getExe pkgs.openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \
        -subj /CN=test -addext ${lib.escapeShellArg "subjectAltName=${lib.concatMapStringsSep "," (name: "DNS:${name}") demand.covers}"} -keyout ${lib.escapeShellArg demand.keyFile} -out ${lib.escapeShellArg demand.path}
    '') certificates
  );
in
pkgs.testers.runNixOSTest {
  name = "cc-ci-${host}";

  nodes.machine = {
    imports = [
      ../modules/cc-ci.nix
      folder
    ];
    virtualisation = {
      diskSize = 8192;
      memorySize = 2048;
    };
  };

  testScript = ''
    import json

    def pieces():
        _, text = machine.execute("converge status --json")
        return {piece["piece"]: piece for piece in json.loads(text)["pieces"]}

    def states(wanted):
        return sorted(name for name, piece in pieces().items() if piece["state"] == wanted)

    def missing():
        lines = {name: piece["line"] for name, piece in pieces().items()}
        return sorted(name for name, line in lines.items() if line and line["id"] == "host-file-missing")

    def settle():
        machine.wait_until_succeeds("test -z \"$(systemctl list-jobs --no-legend 'cc-ci-*')\"")

    with subtest("the swarm and its networks come up at the first boot"):
        machine.wait_for_unit("multi-user.target")
        settle()
        converged = states("converged")
        assert "swarm" in converged and "retire" in converged, pieces()
        assert all(name in converged for name in pieces() if name.startswith("network-")), pieces()

    with subtest("a missing certificate is one clear line"):
        assert missing() != [] and states("failed") == missing(), pieces()

    with subtest("a certificate that arrives is picked up, and an upstream that cannot be reached is awaited"):
        machine.succeed("${selfSigned}")
        with machine.nested("the path unit starts what waited for the certificate"):
            retry(lambda _: missing() == [])
        settle()
        assert states("pending") != [] and states("failed") == [], pieces()
        assert not machine.execute("systemctl --failed --no-legend 'cc-ci-*'")[1], pieces()

    with subtest("a second pass changes nothing"):
        since = machine.succeed("date +%s").strip()
        machine.succeed("systemctl start cc-ci-reconcile.service")
        until = machine.succeed("date +%s").strip()
        events = machine.succeed(
            f"docker events --since {since} --until {until} --filter scope=swarm"
        )
        assert events == "", events

    with subtest("all of it is there again after a reboot"):
        machine.shutdown()
        machine.start()
        machine.wait_for_unit("multi-user.target")
        settle()
        assert states("converged") == converged, pieces()
  '';
}
