import { join } from "node:path";
import { type CcCi, synthesize } from "../constructs/app.ts";
import { readConfig } from "../constructs/config/file.ts";
import { configuredApp } from "../constructs/config/tree.ts";
import { readTemplates } from "../constructs/core/checkout.ts";
import { UserError } from "../constructs/core/errors.ts";
import type { FileSpec } from "../constructs/core/file-spec.ts";
import { Templates } from "../constructs/core/template.ts";

/** The files of a tree, by path, with the templates of the house. */
export async function synthesized(app: CcCi): Promise<ReadonlyMap<string, FileSpec>> {
  const templates = new Templates(readTemplates(join(import.meta.dirname, "../templates")));
  const files = await synthesize(app, templates);
  return new Map(files.map((file) => [file.path, file]));
}

/** The tree that a configuration describes. */
export function appOf(yaml: string): CcCi {
  const file = readConfig("cc-ci.yaml", yaml);
  if (file.problems.length > 0) throw new UserError(file.problems);
  return configuredApp(file).app;
}

/** The smallest host, with further keys of it as indented YAML, and Traefik's own. */
export function hostYaml(keys = "", traefik = "release: 5.1.1"): string {
  const indented = (text: string, depth: number): string =>
    text.replaceAll(/^(?=.)/gm, " ".repeat(depth));
  return `hosts:
  cc-ci:
    domain: ci.example.org
    certificate:
      certificate: /var/lib/ci-certs/live/fullchain.pem
      key: /var/lib/ci-certs/live/privkey.pem
    traefik:
${indented(traefik, 6)}
${indented(keys, 4)}
`;
}

/** The keys of a host that has Drone, with no more than it needs. */
export const droneYaml = `acceptUnfree: [drone, drone-runner-exec]
drone:
  release: 1.9.0
  forge: https://git.example.org
  clientId: 3c1f2a6e-7a1b-4c58-9d37-0a5f6b7c8d9e
  clientSecret: /var/lib/ci-secrets/drone-client-secret
  builds:
    repository: ci/cc-ci
  owner:
    login: ci-owner
    forgeToken: /var/lib/ci-secrets/ci-owner-forge-token
  bridge:
    login: ci-bridge`;
