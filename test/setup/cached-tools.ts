import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { CachedThing } from "./cache.ts";
import { run } from "./command.ts";
import { isAtLeast, type Need } from "./debian.ts";
import { SetupError } from "./error.ts";
import { findProgram, findPrograms } from "./programs.ts";

/** A tool that no Debian package brings, built once and kept in the cache. */
export interface CachedTool extends CachedThing {
  readonly why: string;
  /** How long it takes on two cores, for the line that setup prints. */
  readonly duration: string;
  /** What building it takes; not needed once it is there. */
  readonly needs: readonly Need[];
  /** What a test gets: a program, or a folder, relative to the tool's own. */
  readonly path: string;
}

const repository = join(import.meta.dirname, "../..");
const machine = `${process.platform}-${process.arch}`;
const retry = "check the network, then run 'npm run setup' again";

const nixfmtVersion = "0.5.3";
/** The crate's own `rust-version`. */
const rustVersion = "1.87";

const nixfmt: CachedTool = {
  name: "nixfmt",
  why: "tells whether generated Nix has the layout of RFC 166",
  duration: "about 90 s",
  needs: [
    {
      why: "compiles nixfmt",
      present: () => findNewEnough("cargo", ["--version"], rustVersion) !== undefined,
      // Debian 12's `cargo` is too old, and `cargo-web` is what its browsers are built with.
      candidates: ["cargo-web", "cargo"],
      version: rustVersion,
    },
    ...compilerNeeds("nixfmt"),
  ],
  path: "bin/nixfmt",
  madeOf: () => ["nixfmt_rs", nixfmtVersion, machine],
  build: async (folder) => {
    const cargo = findNewEnough("cargo", ["--version"], rustVersion);
    if (cargo === undefined) throw new SetupError(`no cargo ${rustVersion} or newer: install one`);
    // The compiler that came with this cargo: the first one on PATH may be an older one.
    const compiler = findPrograms("rustc").find((each) => dirname(each) === dirname(cargo));
    const install = ["install", "nixfmt_rs", "--version", nixfmtVersion, "--locked", "--no-track"];
    await run(cargo, [...install, "--root", folder], {
      cwd: folder,
      env: compiler === undefined ? {} : { RUSTC: compiler },
      remedy: retry,
    });
  },
};

const dotenv = goTool({
  name: "dotenv",
  why: "reads .env files as abra does",
  duration: "a few seconds",
  version: "1.19",
  target: ".",
  flags: [],
});

const traefik = goTool({
  name: "traefik",
  why: "is the proxy on the hosts that tests boot",
  duration: "about 8 minutes",
  // What Traefik's own go.mod asks for.
  version: "1.25",
  target: "github.com/traefik/traefik/v3/cmd/traefik",
  // Without symbols: a third of its 240 MB, in each image made of it.
  flags: ["-ldflags", "-s -w"],
});

const gitea = goTool({
  name: "gitea",
  why: "is the forge of the tests",
  duration: "about 7 minutes",
  // What Gitea's own go.mod asks for.
  version: "1.26",
  target: "code.gitea.io/gitea",
  // Linked whole, for it runs on the hosts of the tests too. SQLite can load no extensions then.
  flags: [
    ...["-tags", "sqlite sqlite_unlock_notify sqlite_omit_load_extension netgo osusergo"],
    ...["-ldflags", "-s -w -linkmode external -extldflags -static -X main.Version=1.26.0"],
  ],
  compiler: true,
  // What it reads at run time, from where STATIC_ROOT_PATH points; of its languages English alone.
  files: {
    module: "code.gitea.io/gitea",
    folder: "static",
    names: [
      ...["fileicon", "gitignore", "label", "license", "locale/locale_en-US.json", "readme"].map(
        (name) => `options/${name}`,
      ),
      "public",
      "templates",
    ],
  },
});

/** A Go program from the module in `test/host/tools/<name>`. */
function goTool(tool: {
  readonly name: string;
  readonly why: string;
  readonly duration: string;
  /** The oldest Go that compiles it. */
  readonly version: string;
  /** The package to build. */
  readonly target: string;
  readonly flags: readonly string[];
  /** Whether a part of it is C. @default false */
  readonly compiler?: boolean;
  /** What is copied from a module's folder, and to where beside the program. @default nothing */
  readonly files?: {
    readonly module: string;
    readonly folder: string;
    readonly names: readonly string[];
  };
}): CachedTool {
  const { name, version, target, flags, compiler = false, files } = tool;
  const sources = join(repository, "test/host/tools", name);
  return {
    name,
    why: tool.why,
    duration: tool.duration,
    needs: [
      {
        why: `compiles ${name}`,
        present: () => findNewEnough("go", ["version"], version) !== undefined,
        candidates: ["golang-go"],
        version,
      },
      ...(compiler ? compilerNeeds(name) : []),
    ],
    // With files beside it, a test gets the folder.
    path: files === undefined ? name : ".",
    madeOf: () => [
      machine,
      ...flags,
      ...(files === undefined ? [] : [files.module, files.folder, ...files.names]),
      ...readdirSync(sources)
        .sort()
        .flatMap((file) => [file, readFileSync(join(sources, file))]),
    ],
    build: async (folder) => {
      const go = findNewEnough("go", ["version"], version);
      if (go === undefined) throw new SetupError(`no Go ${version} or newer: install one`);
      const output = join(folder, name);
      const options = {
        cwd: sources,
        // One file that needs nothing of this machine, made by this Go and no other that it fetches.
        env: {
          CGO_ENABLED: compiler ? "1" : "0",
          GOTOOLCHAIN: "local",
          GOWORK: "off",
          GOFLAGS: "-mod=readonly",
        },
        remedy: retry,
      };
      const build = ["build", "-trimpath", "-buildvcs=false", ...flags, "-o", output, target];
      await run(go, build, options);
      if (files === undefined) return;
      const module = await run(go, ["list", "-m", "-f", "{{.Dir}}", files.module], options);
      for (const each of files.names) {
        copyTree(join(module.trim(), each), join(folder, files.folder, each));
      }
    },
  };
}

/** What compiles and links the C of a program. */
function compilerNeeds(name: string): readonly Need[] {
  return ["gcc", "libc6-dev"].map((candidate) => ({
    why: `compiles and links the C in ${name}`,
    present: () => findProgram("cc") !== undefined,
    candidates: [candidate],
  }));
}

/** Copies files and folders without their rights: Go takes the right to write from its modules. */
function copyTree(from: string, to: string): void {
  if (!statSync(from).isDirectory()) {
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, readFileSync(from));
    return;
  }
  for (const name of readdirSync(from)) copyTree(join(from, name), join(to, name));
}

const servicesFiles = [".npmrc", "package-lock.json", "package.json"];

const servicesNodeModules: CachedTool = {
  name: "services-node-modules",
  why: "is what Nix will fetch for the programs on the host, so that its hash can be checked",
  duration: "a few seconds",
  needs: [],
  path: "node_modules",
  madeOf: () => [
    "npm ci --omit=dev --ignore-scripts",
    ...servicesFiles.flatMap((name) => [name, readFileSync(join(repository, "services", name))]),
  ],
  build: async (folder) => {
    const npm = findProgram("npm");
    if (npm === undefined) throw new SetupError("no npm on PATH: install one");
    for (const name of servicesFiles) {
      copyFileSync(join(repository, "services", name), join(folder, name));
    }
    await run(npm, ["ci", "--omit=dev", "--ignore-scripts"], { cwd: folder, remedy: retry });
    // Npm's own notes differ between its versions; the Nix build drops them too.
    rmSync(join(folder, "node_modules/.package-lock.json"));
  },
};

/** All of them, by the name that a test asks for. */
export const cachedTools: readonly CachedTool[] = [
  nixfmt,
  dotenv,
  servicesNodeModules,
  traefik,
  gitea,
];

/** The first program of that name that starts and is new enough. */
function findNewEnough(name: string, args: readonly string[], version: string): string | undefined {
  return findPrograms(name).find((path) => {
    try {
      // A rustup that has no toolchain yet must not fetch one because it was asked its version.
      const env = { ...process.env, RUSTUP_AUTO_INSTALL: "0", GOTOOLCHAIN: "local" };
      const answer = execFileSync(path, args, {
        env,
        stdio: ["ignore", "pipe", "ignore"],
        encoding: "utf8",
      });
      return isAtLeast(answer, version);
    } catch {
      return false;
    }
  });
}
