import { existsSync } from "node:fs";
import { run } from "./command.ts";
import { SetupError } from "./error.ts";
import { findProgram } from "./programs.ts";

/** Something that comes as a Debian package and that may be there without it, on NixOS say. */
export interface Need {
  /** What goes into the line that setup prints. */
  readonly why: string;
  readonly present: () => boolean;
  /** The package, or the packages of which the first that is good enough is taken. */
  readonly candidates: readonly string[];
  /** The least version that will do, as `1.87`. @default any */
  readonly version?: string;
}

function program(name: string, debianPackage: string, why: string): Need {
  return { why, present: () => findProgram(name) !== undefined, candidates: [debianPackage] };
}

/** What every test run needs; a cached tool brings further needs of its own. */
export const debianNeeds: readonly Need[] = [
  program("nix-instantiate", "nix-bin", "parses and evaluates the generated Nix"),
  program("shellcheck", "shellcheck", "reads the shell files"),
  program("systemd-analyze", "systemd", "verifies the generated units"),
  program("git", "git", "lists the project's files; recipes are git repositories"),
  program("flock", "util-linux", "holds locks"),
  program("openssl", "openssl", "makes the certificates of test hosts"),
  program("busybox", "busybox-static", "is what the small recipes of the tests run"),
  program("socat", "socat", "stands between Traefik and the Docker socket on test hosts"),
  {
    why: "lets npm, cargo and git check whom they talk to",
    present: () =>
      existsSync("/etc/ssl/certs/ca-certificates.crt") ||
      existsSync(process.env.SSL_CERT_FILE ?? ""),
    candidates: ["ca-certificates"],
  },
];

export function missing(needs: readonly Need[]): Need[] {
  return needs.filter((need) => !need.present());
}

/**
 * Installs what is needed, after a line for each package: its name, and why.
 *
 * @throws {SetupError} when this is not Debian, not root, or apt-get cannot
 */
export async function install(needs: readonly Need[], say: (line: string) => void): Promise<void> {
  for (const need of needs) say(`installs ${need.candidates.join(" or ")}: ${need.why}`);

  const names = needs.map((need) => need.candidates[0]).join(" ");
  if (findProgram("apt-get") === undefined) {
    throw new SetupError(`no apt-get here, this is not Debian: put what '${names}' brings on PATH`);
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(`not root: run 'sudo apt-get install ${names}', then this again`);
  }
  // apt-get update ends well when the network is gone, and badly when one foreign source is: whether
  // the packages can be had is for the install to say.
  try {
    await run("apt-get", [...aptOptions, "update"], { env: aptEnvironment, remedy: networkRemedy });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say("apt-get update failed: goes on with the package lists that are there");
  }

  const packages: string[] = [];
  for (const need of needs) packages.push(await choose(need));
  await run(
    "apt-get",
    [...aptOptions, "install", "--yes", "--no-remove", "--no-install-recommends", ...packages],
    { env: aptEnvironment, remedy: networkRemedy },
  );
  for (const need of missing(needs)) {
    throw new SetupError(`${need.candidates.join(" or ")} is installed, and yet not to be found`);
  }
}

const aptOptions = ["--quiet", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"];
const aptEnvironment = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
const networkRemedy =
  "check the network and apt's sources, or a package in the way (nothing is ever removed), then run 'npm run setup' again";

/** The first candidate that apt has in a version that will do. */
async function choose(need: Need): Promise<string> {
  const [first] = need.candidates;
  if (first !== undefined && need.version === undefined) return first;
  for (const name of need.candidates) {
    const policy = await run("apt-cache", ["policy", name], {
      env: aptEnvironment,
      remedy: networkRemedy,
    });
    const candidate = /^ {2}Candidate: (\S+)$/m.exec(policy)?.[1];
    if (candidate !== undefined && isAtLeast(candidate, need.version ?? "0.0")) return name;
  }
  const names = need.candidates.join(" or ");
  throw new SetupError(
    `apt has no ${names} ${need.version} or newer: put one on PATH, or add Debian's security sources`,
  );
}

/** Whether the first version in a text, as in `cargo 1.95.0 (…)` or `2:1.19~1`, is new enough. */
export function isAtLeast(text: string, wanted: string): boolean {
  const [major = 0, minor = 0] = firstVersion(text);
  const [wantedMajor = 0, wantedMinor = 0] = firstVersion(wanted);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function firstVersion(text: string): number[] {
  const match = /(\d+)\.(\d+)/.exec(text);
  return match === null ? [] : [Number(match[1]), Number(match[2])];
}
