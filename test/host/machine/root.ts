import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { CachedTool } from "../../setup/cached-tools.ts";
import { run } from "../../setup/command.ts";
import type { Need } from "../../setup/debian.ts";
import { SetupError } from "../../setup/error.ts";
import { findProgram } from "../../setup/programs.ts";

const suite = "trixie";

/** What a host has beyond Debian's least; `docker` the client is a package of its own there. */
const packages = [
  "ca-certificates",
  "curl",
  "dbus",
  "dnsmasq-base",
  "docker-cli",
  "docker.io",
  "git",
  "iproute2",
  "iptables",
  "jq",
  "openssl",
  "procps",
  "systemd-sysv",
  "util-linux",
];

/**
 * Units that cannot work here, or that would work when nobody asks: a container has no kernel
 * modules and no disk of its own, nobody logs in, and Debian's upkeep has nothing to do on a host
 * that lives for minutes.
 */
const masked = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "console-getty.service",
  "containerd.service",
  "dpkg-db-backup.timer",
  "fstrim.timer",
  "getty.target",
  "systemd-logind.service",
  "systemd-modules-load.service",
  "systemd-pstore.service",
];

/**
 * With cgroup v1 the controllers are mounted read-only inside of a container, and dockerd makes a
 * group for each of its own. And it starts its own containerd here, as on NixOS.
 */
const dockerHere = `[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd://
ExecStartPre=/bin/sh -ec 'for d in /sys/fs/cgroup/*/; do if mountpoint -q $d; then mount -o bind,remount,rw $d; fi; done'
`;

/** Nothing of these is needed to run, and every host would carry them. */
const dropped = [
  "etc/apt/sources.list",
  "usr/share/doc",
  "usr/share/info",
  "usr/share/locale",
  "usr/share/man",
  "var/cache/apt",
  "var/lib/apt/lists",
];

const retry = "check the network and apt's sources, then run 'npm run setup' again";

function program(name: string, debianPackage: string, why: string): Need {
  return { why, present: () => findProgram(name) !== undefined, candidates: [debianPackage] };
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A Debian with systemd and Docker that a test boots a throwaway copy of. */
export const hostRoot: CachedTool = {
  name: "host-root",
  why: "is the Debian that the hosts of the tests run",
  duration: "about 90 s",
  needs: [
    program("debootstrap", "debootstrap", "makes the Debian that the hosts of the tests run"),
    {
      why: "tells whether that Debian is the real one",
      present: () => existsSync(keyring),
      candidates: ["debian-archive-keyring"],
    },
  ],
  path: "root",
  // All of it is said in this file, but for the two that follow.
  madeOf: () => [readFileSync(import.meta.filename), process.version, process.arch],
  build: async (folder) => {
    const root = join(folder, "root");
    await bootstrap(root);
    const chroot = (...command: readonly string[]): Promise<string> =>
      run("chroot", [root, ...command], {
        env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8", PATH: systemPath },
        remedy: retry,
      });
    // debootstrap may end well and leave a package half configured.
    await chroot("dpkg", "--configure", "-a");
    await chroot("apt-get", "--quiet", "--yes", "install", "--fix-broken");
    makeHost(root);
  },
};

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function bootstrap(root: string): Promise<void> {
  const program = findProgram("debootstrap");
  if (program === undefined) throw new SetupError(`no debootstrap: install it, then ${retry}`);
  const mirror = debianMirror();
  await run(
    program,
    [
      "--variant=minbase",
      `--keyring=${keyring}`,
      `--include=${packages.join(",")}`,
      suite,
      root,
      ...(mirror === undefined ? [] : [mirror]),
    ],
    { env: { LC_ALL: "C.UTF-8", PATH: systemPath, ...proxies() }, remedy: retry },
  );
}

/** Where this machine gets its own Debian from; undefined for debootstrap's choice. */
function debianMirror(): string | undefined {
  const format = "$(CREATED_BY) $(LABEL) $(REPO_URI)";
  const lines = ask("apt-get", ["indextargets", "--format", format]).split("\n");
  return lines
    .map((line) => line.split(" "))
    .find(([createdBy, label]) => createdBy === "Packages" && label === "Debian")?.[2];
}

/** apt's proxies, in the words of the program that debootstrap downloads with. */
function proxies(): Readonly<Record<string, string>> {
  const known = ["http", "https"].map((scheme) => {
    const answer = ask("apt-config", ["shell", "PROXY", `Acquire::${scheme}::Proxy`]);
    return [`${scheme}_proxy`, /^PROXY='(.+)'$/m.exec(answer)?.[1]] as const;
  });
  return Object.fromEntries(known.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function ask(name: string, args: readonly string[]): string {
  try {
    return execFileSync(name, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/** What makes the fresh Debian a host: no name, no disk and no clock of its own, and Node 24. */
function makeHost(root: string): void {
  for (const path of dropped) rmSync(join(root, path), { recursive: true, force: true });
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("etc/fstab", "");
  put("etc/hostname", "cc-ci\n");
  put("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
  put("etc/resolv.conf", "");
  put("etc/machine-id", "");
  put("etc/systemd/system/docker.service.d/10-here.conf", dockerHere);
  // So that what was logged before a reboot or a power cut can be read after it.
  mkdirSync(join(root, "var/log/journal"), { recursive: true });
  // Caches are up to date: else the first boot makes them again.
  for (const path of ["etc/.updated", "var/.updated"]) put(path, "");
  for (const unit of masked) {
    rmSync(join(root, "etc/systemd/system", unit), { force: true });
    symlinkSync("/dev/null", join(root, "etc/systemd/system", unit));
  }
  // Every program of a package is in its bin on NixOS, and so a unit names it.
  symlinkSync("../sbin/dockerd", join(root, "usr/bin/dockerd"));
  copyFileSync(nodeBinary(), join(root, "usr/local/bin/node"));
  chmodSync(join(root, "usr/local/bin/node"), 0o755);
  appendFileSync(join(root, "etc/bash.bashrc"), "PS1='cc-ci host:\\w\\$ '\n");
}

/** The one that npm installed: what is on PATH may need libraries that only this machine has. */
function nodeBinary(): string {
  const modules = join(import.meta.dirname, "../../../node_modules");
  const installed = join(modules, `node-linux-${process.arch}/bin/node`);
  return existsSync(installed) ? installed : process.execPath;
}
