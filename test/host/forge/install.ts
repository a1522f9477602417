import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layOutGitea } from "../../forge/place.ts";
import { findTool } from "../../tools.ts";
import type { TestAuthority } from "../certificates.ts";
import type { SeededForge } from "./seed.ts";

/** The name and port of the forge, on a test host and nowhere else. */
const serverName = "forge.example.org";
const port = 8444;

export const forgeAddress = `https://${serverName}:${port}`;

/** The unit; stopped, the forge is away. */
export const forgeUnit = "test-forge.service";

const program = "/usr/share/test-forge";
const folder = "/var/lib/test-forge";

/** What a host with the forge has of this machine, read-only: to copy it would take longer than the forge to start. */
export function forgeBinds(): Readonly<Record<string, string>> {
  const tool = findTool("gitea");
  if (tool === undefined) throw new Error("no gitea in the cache: run 'npm run setup'");
  return { [program]: tool };
}

/** Puts the data of a Gitea, with `forgeBinds` the whole of it, into the root of a host that is not booted yet. */
export function installForge(root: string, authority: TestAuthority, seeded: SeededForge): void {
  cpSync(seeded.folder, join(root, folder), { recursive: true });
  const pair = authority.pair({ names: [serverName] });
  const certificate = { chain: `${folder}/chain.pem`, key: `${folder}/key.pem` };
  writeFileSync(join(root, certificate.chain), pair.certificate);
  writeFileSync(join(root, certificate.key), pair.key, { mode: 0o600 });
  const commands = layOutGitea(
    {
      ...{ program, folder, user: "root", certificate },
      // Drone's server asks from a container.
      ...{ address: "0.0.0.0", port, url: `${forgeAddress}/` },
    },
    root,
  );
  const unit = `[Unit]
Description=The forge (test host only)
Before=docker.service

[Service]
Environment=HOME=${folder}
# Its repositories were made in another folder.
ExecStartPre=${[...commands.web.slice(0, -1), "admin", "regenerate", "hooks"].join(" ")}
ExecStart=${commands.web.join(" ")}
Restart=always

[Install]
WantedBy=multi-user.target
`;
  const units = join(root, "etc/systemd/system");
  const wants = join(units, "multi-user.target.wants");
  mkdirSync(wants, { recursive: true });
  writeFileSync(join(units, forgeUnit), unit);
  symlinkSync(`../${forgeUnit}`, join(wants, forgeUnit));
  const hosts = join(root, "etc/hosts");
  // In front: what follows on the names of a configuration goes with them at the next switch.
  writeFileSync(hosts, `127.0.0.1 ${serverName}\n${readFileSync(hosts, "utf8")}`);
}
