/** Something in which a host of the tests is not a NixOS host, and why that is so. */
interface Difference {
  readonly what: string;
  readonly why: string;
}

/** All of them; docs/testing.md prints the list. */
export const differences: readonly Difference[] = [
  {
    what: "Packages are those of Debian 13: systemd 257 and Docker 26.1 instead of 260 and 29. Every package path that a unit names is a link to /usr.",
    why: "Nothing is built here, and nixpkgs need not be there. The text of the units stays what NixOS would run.",
  },
  {
    what: "The programs of the host are bundled by npm's esbuild and started by a wrapper of the tests' own.",
    why: "Nix would do it. The command and its flags are read from nix/packages/host-program.nix.",
  },
  {
    what: "Only the units, /etc files, users, groups, tmpfiles rules and Docker settings of the configuration are put in place: no boot loader, no firewall rules, no openssh.",
    why: "They come from modules of NixOS that the small evaluator does not have. The opened ports are checked as values.",
  },
  {
    what: "What a configuration says of docker.service stands in a drop-in over Debian's unit, with an empty ExecStart= before its own, and one more drop-in makes the cgroup controllers writable.",
    why: "NixOS writes it as a drop-in over the unit of the package too. A container has the controllers of cgroup version 1 mounted read-only.",
  },
  {
    what: "With cgroup version 1 on the machine that runs the tests, MemoryMax and TasksMax are accepted and have no effect.",
    why: "systemd-nspawn hands no controllers on. They are checked as properties of the units.",
  },
  {
    what: "The network is a loopback alone; names are resolved from /etc/hosts.",
    why: "Nothing that a test does may leave the machine, and no port of it is taken.",
  },
  {
    what: "Service addresses (VIPs) and the ingress mesh may not route: recipes of the tests use endpoint_mode dnsrr and ports in host mode.",
    why: "Not every kernel that runs the tests has IPVS.",
  },
  {
    what: "No kernel modules are loaded, and systemd-modules-load.service is masked.",
    why: "A container shares the kernel of the machine.",
  },
  {
    what: "Images are there from the start, under the tags of the recipes; none can be pulled.",
    why: "There is no registry. A tag that is not there behaves as one that cannot be had.",
  },
  {
    what: "Recipes are cloned from a git server on the host itself, by a certificate that the host trusts; /etc/gitconfig leads from public addresses to it. test-git-server.service is no unit of ours.",
    why: "Nothing is fetched from elsewhere, and a case can take the upstream away or give it a new release.",
  },
  {
    what: "Files of environment.etc are copies and not links into the store.",
    why: "There are no generations to switch between. Nothing of ours tells the two apart.",
  },
  {
    what: "abra is a stand-in.",
    why: "No copy of abra can be had where the tests run. Its contract is one list, with which a real one can be compared: npm run probe:abra.",
  },
  {
    what: "Drone's server and runner are stand-ins unless DRONE_SERVER_BIN and DRONE_RUNNER_BIN name real ones. The image of the server is Node and a link into /usr/share/test-drone, which the recipe of the tests mounts.",
    why: "They cannot be had from a registry. Their contract is one list, which real ones are held to by the same test.",
  },
  {
    what: "The forge runs on the host itself, as test-forge.service, with accounts, the CI repository and an OAuth client in it from the start. The recipe of Drone mounts the host's authorities and names the forge's address.",
    why: "Nothing leaves the machine. A case can take the forge away, and work on it as any of its accounts.",
  },
  {
    what: "Where the bridge runs, test-names.service answers containers that ask for the forge or a name of the host with the host's address.",
    why: "Elsewhere the DNS does. Containers do not read /etc/hosts.",
  },
  {
    what: "The bridge's image is made on the host, of Debian's libraries, Node and the bundled program, by docker import.",
    why: "Nix would build it. What loads it has the same place, and gives it the name that Nix has computed.",
  },
  {
    what: "A power cut ends every process at once, but loses no file that was written and not yet synced.",
    why: "The pages are in the memory of the machine, which goes on.",
  },
  {
    what: "A switch is done by a model of switch-to-configuration: the checks before it, what it stops, restarts and starts, in its order, and its exit status.",
    why: "The program belongs to a built NixOS system. There are no generations and no activation scripts.",
  },
  {
    what: "Users and groups are lines in the files of Debian, and none is removed again.",
    why: "NixOS makes them in an activation script. The ids of former ones stay taken there too.",
  },
  {
    what: "Nothing inside may set the clock.",
    why: "It is the clock of the machine. Certificates that are expired or not yet valid are made by their dates.",
  },
];
