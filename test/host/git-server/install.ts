import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleOf } from "../bundle.ts";
import type { TestAuthority } from "../certificates.ts";
import {
  createRepositories,
  type RecipeName,
  type RecipeRepository,
} from "../recipes/repositories.ts";

/** The name and port that recipes are cloned from, on a test host and nowhere else. */
const serverName = "git.example.org";
const port = 8443;

/** The unit; stopped, the upstream of every recipe is unreachable. */
export const gitServerUnit = "test-git-server.service";

/** Where the repositories lie inside of the host: new releases are made there. */
export const recipesFolder = "/srv/recipes";

/** What a configuration calls the repository of a recipe. */
export function repositoryUrl(name: RecipeName): string {
  return `https://${serverName}:${port}/${name}.git`;
}

const files = "/usr/share/test-git-server";

const unit = `[Unit]
Description=Upstream of the recipes (test host only)
Before=docker.service

[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/bin/node ${files}/git-server.cjs ${recipesFolder} ${files}/certificate.pem ${files}/key.pem ${port}

[Install]
WantedBy=multi-user.target
`;

/**
 * Puts the server, its unit and all recipe repositories into the root of a host that is not booted
 * yet, and lets the whole host trust the authority.
 *
 * @returns the repositories, as they lie below `root`
 */
export function installGitServer(
  root: string,
  authority: TestAuthority,
): Readonly<Record<RecipeName, RecipeRepository>> {
  const pair = authority.pair({ names: [serverName] });
  mkdirSync(join(root, files), { recursive: true });
  const program = bundleOf(join(import.meta.dirname, "main.ts"));
  writeFileSync(join(root, files, "git-server.cjs"), program);
  writeFileSync(join(root, files, "certificate.pem"), pair.certificate);
  writeFileSync(join(root, files, "key.pem"), pair.key, { mode: 0o600 });
  const units = join(root, "etc/systemd/system");
  mkdirSync(join(units, "multi-user.target.wants"), { recursive: true });
  writeFileSync(join(units, gitServerUnit), unit);
  symlinkSync(`../${gitServerUnit}`, join(units, "multi-user.target.wants", gitServerUnit));
  appendFileSync(join(root, "etc/hosts"), `127.0.0.1 ${serverName}\n`);
  appendFileSync(join(root, "etc/ssl/certs/ca-certificates.crt"), authority.certificate);
  return createRepositories(join(root, recipesFolder));
}
