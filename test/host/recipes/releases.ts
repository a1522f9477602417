/** The files of a recipe by name. */
type Files = Readonly<Record<string, string>>;

/** One release: a commit and its annotated tag. */
interface Release {
  /** The tag, in full. */
  readonly version: string;
  /** Message of commit and tag: what is new. */
  readonly says: string;
  /** The files of this release, from those of the one before. */
  readonly change: (files: Files) => Files;
}

/** A release that differs from the one before it in these places, and in the version label. */
function release(version: string, says: string, ...edits: readonly Edit[]): Release {
  return {
    version,
    says,
    change: (files) => {
      const label = /(?<=coop-cloud\.\$\{STACK_NAME\}\.version=)[^"]+/;
      return [edit("compose.yml", label, version), ...edits].reduce((now, one) => one(now), files);
    },
  };
}

type Edit = (files: Files) => Files;

function edit(file: string, from: string | RegExp, to: string): Edit {
  return (files) => {
    const text = files[file] ?? "";
    // A replacement as a function: `$` in it stands for itself.
    const changed = text.replace(from, () => to);
    if (changed === text && !text.includes(to)) {
      throw new Error(
        `${file}: nothing in it is ${from}: change test/host/recipes/releases.ts too`,
      );
    }
    return { ...files, [file]: changed };
  };
}

/** The healthcheck of the recipe, and one that never succeeds, which is found out after three seconds. */
const healthy = '"http://127.0.0.1:8080/page.html"]\n      interval: 30s';
const unhealthy = '"http://127.0.0.1:8080/nowhere.html"]\n      interval: 1s';
const patient = "      start_period: 30s\n      start_interval: 500ms\n";
const serves = 'command: ["/bin/serve"]';

/** The releases of each recipe, oldest first. */
export const releases = {
  traefik: [
    release("5.1.0+v3.6.12", "First release"),
    release(
      "5.1.1+v3.6.12",
      "Keep connections of clients for a minute",
      edit("abra.sh", "TRAEFIK_YML_VERSION=v29", "TRAEFIK_YML_VERSION=v30"),
      edit(
        "traefik.yml.tmpl",
        'address: ":443"\n',
        'address: ":443"\n    transport:\n      respondingTimeouts:\n        idleTimeout: 60s\n',
      ),
    ),
    release(
      "5.1.2+v3.0.0",
      "An image that speaks an older Docker API than today's engines",
      edit("compose.yml", "traefik:v3.6.12", "traefik:v3.0.0"),
    ),
    release(
      "5.2.0+v3.6.12",
      "TLS 1.3 for everybody",
      edit("compose.yml", "traefik:v3.0.0", "traefik:v3.6.12"),
      edit("abra.sh", "FILE_PROVIDER_YML_VERSION=v10", "FILE_PROVIDER_YML_VERSION=v11"),
      edit("file-provider.yml.tmpl", "VersionTLS12", "VersionTLS13"),
    ),
  ],
  web: [
    release("0.1.0+1.0.0", "First release"),
    release(
      "0.2.0+1.1.0",
      "New upstream version, new page",
      edit("compose.yml", "web:1.0.0", "web:1.1.0"),
      edit("abra.sh", "PAGE_VERSION=v1", "PAGE_VERSION=v2"),
      edit("page.html.tmpl", " from ", " again from "),
    ),
    // From here on each is one way to fail, and the next one is healthy again but for its own.
    release(
      "0.3.0+1.1.0",
      "Never healthy: rolls back",
      edit("compose.yml", healthy, unhealthy),
      edit("compose.yml", patient, ""),
    ),
    release(
      "0.4.0+1.1.0",
      "Never healthy: pauses",
      edit("compose.yml", "failure_action: rollback", "failure_action: pause"),
    ),
    release(
      "0.5.0+1.1.0",
      // Later than the update is watched: it counts as completed, and fails all the same.
      "Ends with status 3 after two seconds, without a healthcheck",
      edit("compose.yml", "failure_action: pause", "failure_action: rollback"),
      edit("compose.yml", /^ {4}healthcheck:\n(?: {6}.*\n)+/m, ""),
      edit("compose.yml", serves, 'command: ["sh", "-c", "sleep 2; echo no database >&2; exit 3"]'),
    ),
    release(
      "0.6.0+9.9.9",
      "An image that is nowhere to be had",
      edit("compose.yml", /command: \["sh".*\]/, serves),
      edit("compose.yml", "web:1.1.0", "web:9.9.9"),
    ),
    release(
      "0.7.0+1.1.0",
      "A changed config without a new version of it",
      edit("compose.yml", "web:9.9.9", "web:1.1.0"),
      edit("page.html.tmpl", " again from ", " once more from "),
    ),
    release(
      "0.8.0+1.1.0",
      "Ignores SIGTERM for the default grace of ten seconds",
      edit("abra.sh", "PAGE_VERSION=v2", "PAGE_VERSION=v3"),
      edit("compose.yml", "    stop_grace_period: 1s\n", ""),
      edit("compose.yml", serves, 'command: ["httpd", "-f", "-p", "8080", "-h", "/www"]'),
    ),
    release(
      "0.9.0+1.1.0",
      "Healthy again",
      edit("compose.yml", /command: \["httpd".*\]/, `${serves}\n    stop_grace_period: 1s`),
      edit("abra.sh", "PAGE_VERSION=v3", "PAGE_VERSION=v4"),
    ),
  ],
  drone: [
    release("1.8.0+2.25.0", "First release"),
    release(
      "1.9.0+2.26.0",
      "Versions of secrets by the names that abra has for them",
      edit("compose.yml", "${RPC_SECRET_VERSION}", "${SECRET_RPC_SECRET_VERSION}"),
      edit("compose.gitea.yml", "${CLIENT_SECRET_VERSION}", "${SECRET_CLIENT_SECRET_VERSION}"),
      edit(".env.sample", "\nRPC_SECRET_VERSION", "\nSECRET_RPC_SECRET_VERSION"),
      edit(".env.sample", "#CLIENT_SECRET_VERSION", "#SECRET_CLIENT_SECRET_VERSION"),
    ),
  ],
  probe: [
    release("0.1.0+1.37.0", "First release"),
    release(
      "0.2.0+1.37.0",
      "New page",
      edit("abra.sh", "PAGE_VERSION=v1", "PAGE_VERSION=v2"),
      edit("page.tmpl", "{{", "page of {{"),
    ),
    release(
      "0.3.0+1.37.0",
      "Never healthy",
      edit("compose.yml", '"test", "-e", "/page"', '"test", "-e", "/nowhere"'),
    ),
    release(
      "0.4.0+1.37.0",
      "An image without a tag that stays: breaks a lint rule of level error",
      edit("compose.yml", '"test", "-e", "/nowhere"', '"test", "-e", "/page"'),
      edit("compose.yml", "busybox:1.37.0", "busybox:latest"),
    ),
    release(
      "0.5.0+9.9.9",
      "An image that is nowhere to be had",
      edit("compose.yml", "busybox:latest", "registry.invalid/nothing:9.9.9"),
    ),
  ],
} as const satisfies Readonly<Record<string, readonly Release[]>>;
