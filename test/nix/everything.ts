import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CcCi } from "../../constructs/app.ts";
import { hostYaml, synthesized } from "../synthesized.ts";

const root = join(import.meta.dirname, "../..");

/** A host that uses everything that the configuration knows. */
export const everything = hostYaml(
  `acceptUnfree: [drone]
swarm:
  advertiseAddress: 192.0.2.10
  listenAddress: 0.0.0.0
  addressPools: [10.96.0.0/12, 172.20.0.0/14]
  subnetSize: 26
  proxySubnet: 10.112.0.0/16
  nodeCertificateDays: 30
docker:
  registryMirrors: [https://mirror.example.org]
  registryCredentials: /var/lib/ci-secrets/docker.json
  logMaxMiB: 50
  logFiles: 5
  pruneOnCalendar: "Sun 03:00"
runs:
  maxTests: 3
  timeoutMinutes: 90
  keepDays: 14
  keepRuns: 200
  keepGiB: 20
apps:
  wiki:
    recipe: wiki
    release: 1.2.3+v4.5.6
    domain: wiki.ci.example.org
    env: { GREETING: "it's \\"quoted\\", 100% and costs $5" }
    secrets: { db_password: /var/lib/ci-secrets/wiki-db }
  notes:
    recipe: notes
    commit: 0123456789abcdef0123456789abcdef01234567
    domain: notes.ci.example.org`,
  "release: 5.1.1\npublish: ingress",
);

/** Writes below `folder` all that an app comes to, as `npm run synth` would. */
export async function writeTree(folder: string, app: CcCi): Promise<void> {
  for (const [path, { content }] of await synthesized(app)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** The modules of the host whose tree was written below `folder`. */
export function modulesIn(folder: string): readonly string[] {
  return [
    join(folder, "out/cc-ci"),
    join(root, "nix/modules/cc-ci.nix"),
    join(root, "nix/hosts/cc-ci"),
  ];
}
