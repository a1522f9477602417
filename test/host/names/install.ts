import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The address of the host that its containers reach: that of the bridge docker_gwbridge, as Docker makes it. */
const hostAddress = "172.18.0.1";

/**
 * Has names resolved for containers, which do not read the host's /etc/hosts: each of these domains, and all that is
 * below it, is the host.
 */
export function installNames(root: string, domains: readonly string[]): void {
  const answers = domains.map((domain) => `--address=/${domain}/${hostAddress}`);
  const command = [
    ...["/usr/sbin/dnsmasq", "--keep-in-foreground", "--user=root", "--conf-file=/dev/null"],
    ...["--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces"],
    ...answers,
  ];
  const unit = `[Unit]
Description=Names for containers (test host only)
Before=docker.service

[Service]
ExecStart=${command.join(" ")}
Restart=always

[Install]
WantedBy=multi-user.target
`;
  const units = join(root, "etc/systemd/system");
  const wants = join(units, "multi-user.target.wants");
  mkdirSync(wants, { recursive: true });
  writeFileSync(join(units, "test-names.service"), unit);
  symlinkSync("../test-names.service", join(wants, "test-names.service"));
  writeFileSync(join(root, "etc/resolv.conf"), "nameserver 127.0.0.1\n");
}
