import { repositoryUrl } from "../git-server/install.ts";
import { type Host, usualConfiguration } from "../host.ts";
import type { Configuration } from "../system/system.ts";
import { withoutTimer } from "./without-timer.ts";

export interface WebOptions {
  /** @default "0.1.0", unless a commit is given */
  readonly release?: string;
  /** Of the recipe. @default whatever the release is at */
  readonly commit?: string;
  /** @default `<name>.ci.example.org` */
  readonly domain?: string;
  /** Further keys of the app, as YAML. @default none */
  readonly keys?: string;
}

/** The host with apps of the recipe `web` behind Traefik, by name, and without the timer. */
export function withWebs(
  apps: Readonly<Record<string, WebOptions>>,
  keys = "",
  traefik?: string,
): Configuration {
  const list = Object.entries(apps).map(([name, options]) => {
    const { commit, release = commit === undefined ? "0.1.0" : undefined } = options;
    const revision = [
      ...(release === undefined ? [] : [`release: ${release}\n`]),
      ...(commit === undefined ? [] : [`commit: ${commit}\n`]),
    ];
    const app = `recipe: web
${revision.join("")}repository: ${repositoryUrl("web")}
domain: ${options.domain ?? `${name}.ci.example.org`}
env: { GREETING: Hello }
${options.keys ?? ""}`;
    return `  ${name}:\n${app.replaceAll(/^(?=.)/gm, "    ")}`;
  });
  const all = list.length === 0 ? keys : `apps:\n${list.join("\n")}\n${keys}`;
  return withoutTimer(usualConfiguration(all, traefik));
}

/** Keys of an app that has all that the recipe can have: a secret and a second service. */
export const withEverything = `composeFiles: [compose.yml, compose.worker.yml, compose.secret.yml]
secrets: { db_password: /var/lib/ci-secrets/web-db }
`;

/** Puts the host file there that `withEverything` asks for. */
export function putPassword(host: Host, password = "a password that a machine has made"): void {
  host.write("/var/lib/ci-secrets/web-db", password, 0o600);
}

/** Where things of an app lie, by the name of its domain's first label. */
export function placesOf(name: string, recipe = name) {
  const domain = `${name}.ci.example.org`;
  const directory = `/var/lib/cc-ci/abra/${domain}`;
  return {
    ...{ domain, directory, stack: domain.replaceAll(".", "_") },
    checkout: `${directory}/recipes/${recipe}`,
    env: `${directory}/servers/default/${domain}.env`,
  };
}

/** What a client gets from an app through the proxy; the reason where it gets nothing. */
export async function pageOf(host: Host, name: string): Promise<string> {
  const domain = `${name}.ci.example.org`;
  const { stdout, stderr } = await host.exec(
    [
      ...["curl", "--silent", "--show-error", "--fail", "--max-time", "5"],
      ...["--resolve", `${domain}:443:127.0.0.1`, `https://${domain}/page.html`],
    ],
    { mayFail: true },
  );
  return `${stdout}${stderr}`.trim();
}
