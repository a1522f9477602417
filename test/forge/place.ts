import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a Gitea is and how it is reached, as it sees that itself: on a test host, paths inside of it. */
export interface GiteaPlace {
  /** What the cache has as `gitea`: the program, and in `static` what it reads. */
  readonly program: string;
  /** A folder of its own for configuration, database and repositories. */
  readonly folder: string;
  /** What it listens on. */
  readonly address: string;
  readonly port: number;
  /** What others reach it by, with a slash at its end: in every link and every clone address. */
  readonly url: string;
  /** The user that runs it. */
  readonly user: string;
  /** Paths of PEM files, to speak TLS itself. @default plain HTTP */
  readonly certificate?: { readonly chain: string; readonly key: string };
  /** How long an access token of an OAuth client is good for, in seconds. @default an hour, Gitea's own */
  readonly accessSeconds?: number;
  /** Whether a refresh token can be used once only, as with Forgejo. @default no, as with Gitea */
  readonly refreshOnce?: boolean;
}

/** The command lines of a Gitea; run `migrate` first, `web` then, and `createUser` at any time after that. */
export interface GiteaCommands {
  readonly migrate: readonly string[];
  readonly web: readonly string[];
  /** Gitea's own rules for passwords do not apply. */
  readonly createUser: (login: string, password: string, isAdmin: boolean) => readonly string[];
}

/**
 * Lays out the folder of a Gitea and writes its configuration, without a question left for a browser.
 *
 * @param root where the paths of the place lie for whoever writes. @default "/"
 */
export function layOutGitea(place: GiteaPlace, root = "/"): GiteaCommands {
  const folder = join(root, place.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "app.ini"), appIni(place), { mode: 0o600 });
  writeFileSync(join(folder, hookShell), hookScript, { mode: 0o755 });
  const gitea = [join(place.program, "gitea"), "--config", join(place.folder, "app.ini")];
  return {
    migrate: [...gitea, "migrate"],
    web: [...gitea, "web"],
    createUser: (login, password, isAdmin) => [
      ...[...gitea, "admin", "user", "create", "--username", login, "--password", password],
      ...["--email", `${login}@example.org`, "--must-change-password=false"],
      ...(isAdmin ? ["--admin"] : []),
    ],
  };
}

/** What a repository's hooks are run with. */
const hookShell = "hook-shell";

/**
 * For each push Gitea's program would start three times, which takes longer than all else: once to forbid it, which
 * the API that makes it has not, once for nothing, and once to have it told, unless it is one of Gitea's own.
 */
const hookScript = `#!/bin/sh
case "$1" in
  */post-receive) [ "$GITEA_INTERNAL_PUSH" = true ] || exec sh "$1.d/gitea" ;;
  */proc-receive) exec sh "$@" ;;
esac
`;

function appIni(place: GiteaPlace): string {
  const { certificate } = place;
  const tls =
    certificate === undefined
      ? ["PROTOCOL = http"]
      : ["PROTOCOL = https", `CERT_FILE = ${certificate.chain}`, `KEY_FILE = ${certificate.key}`];
  const lines = [
    "APP_NAME = Forge",
    `RUN_USER = ${place.user}`,
    "RUN_MODE = prod",
    `WORK_PATH = ${place.folder}`,
    ...(place.user === "root" ? ["I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true"] : []),
    "[server]",
    ...tls,
    `HTTP_ADDR = ${place.address}`,
    `HTTP_PORT = ${place.port}`,
    `ROOT_URL = ${place.url}`,
    "DISABLE_SSH = true",
    "OFFLINE_MODE = true",
    `STATIC_ROOT_PATH = ${join(place.program, "static")}`,
    "[database]",
    "DB_TYPE = sqlite3",
    `PATH = ${join(place.folder, "gitea.db")}`,
    // In milliseconds: after half a second, its default, it answers 500 on a busy machine.
    "SQLITE_TIMEOUT = 20000",
    "[repository]",
    `ROOT = ${join(place.folder, "repositories")}`,
    `SCRIPT_TYPE = ${join(place.folder, hookShell)}`,
    "[security]",
    "INSTALL_LOCK = true",
    // Every call of the tests gives a password, which guards nothing.
    "PASSWORD_HASH_ALGO = pbkdf2$1$50",
    `SECRET_KEY = ${randomBytes(32).toString("hex")}`,
    `INTERNAL_TOKEN = ${randomBytes(32).toString("hex")}`,
    "[oauth2]",
    `JWT_SECRET = ${randomBytes(32).toString("base64url")}`,
    `ACCESS_TOKEN_EXPIRATION_TIME = ${place.accessSeconds ?? 3600}`,
    `INVALIDATE_REFRESH_TOKENS = ${place.refreshOnce ?? false}`,
    "[service]",
    "DISABLE_REGISTRATION = true",
    "[webhook]",
    "ALLOWED_HOST_LIST = loopback,private",
    "[actions]",
    "ENABLED = false",
    // What is written is looked for in the database, and nobody wants to know of what languages a repository is made
    // or whether a pull request could be merged.
    "[indexer]",
    "ISSUE_INDEXER_TYPE = db",
    ...["repo_stats_update", "repo_license_updater", "pr_patch_checker"].flatMap((queue) => [
      `[queue.${queue}]`,
      "TYPE = dummy",
    ]),
    "[cron]",
    "ENABLED = false",
    "[log]",
    "LEVEL = Warn",
    "[i18n]",
    "LANGS = en-US",
    "NAMES = English",
  ];
  return `${lines.join("\n")}\n`;
}
