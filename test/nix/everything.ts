import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CcCi } from "../../constructs/app.ts";
import { hostYaml, synthesized } from "../synthesized.ts";

const root = join(import.meta.dirname, "../..");

/** A host that uses everything that the configuration knows. */
export const everything = hostYaml(
  `acceptUnfree: [drone, drone-runner-exec]
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
drone:
  release: 1.9.0+v2.26.0
  domain: builds.ci.example.org
  env: { LOG_LEVEL: INFO }
  pullSeconds: 600
  deploySeconds: 120
  forge: https://git.example.org
  clientId: 3c1f2a6e-7a1b-4c58-9d37-0a5f6b7c8d9e
  clientSecret: /var/lib/ci-secrets/drone-client-secret
  architecture: arm64
  builds:
    repository: ci/cc-ci
    branch: live
    visibility: internal
  owner:
    login: ci-owner
    forgeToken: /var/lib/ci-secrets/ci-owner-forge-token
    password: /var/lib/ci-secrets/ci-owner-password
  bridge:
    login: ci-bridge
    password: /var/lib/ci-secrets/ci-bridge-password
bridge:
  mode: webhook
  domain: hooks.ci.example.org
  organisation: recipes
  forgeToken: /var/lib/ci-secrets/bridge-forge-token
  repositories: [wiki, notes]
  forks: with-commit
  team: 7
  only: [member]
  ignore: [renovate]
  pollSeconds: 30
  webhookKey: /var/lib/ci-secrets/webhook-key
  previousWebhookKey: /var/lib/ci-secrets/webhook-key-before
  limits: { perPersonAndHour: 5, perPullAndHour: 3, waiting: 10 }
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
