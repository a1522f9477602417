import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const begin = "# Names of the configuration";

/** Puts the names of a configuration into /etc/hosts, in the place of those of the one before. */
export function putHosts(root: string, hosts: Readonly<Record<string, readonly string[]>>): void {
  const path = join(root, "etc/hosts");
  const [own = ""] = readFileSync(path, "utf8").split(`${begin}\n`);
  const lines = Object.entries(hosts)
    .filter(([, names]) => names.length > 0)
    .map(([address, names]) => `${address} ${names.join(" ")}\n`);
  writeFileSync(path, [own, ...(lines.length === 0 ? [] : [`${begin}\n`, ...lines])].join(""));
}
