import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { cachedFolder } from "../../setup/cache.ts";
import { cachedTools } from "../../setup/cached-tools.ts";
import { SetupError } from "../../setup/error.ts";
import { commandsOf, copyProgram, programContents } from "./program.ts";

/** What becomes an image by `tar -C <folder> -c . | docker import - <reference>`; no registry needed. */
export interface ImageRoot {
  /** Name and tag, as recipes spell it. */
  readonly reference: string;
  /** Everything that decides what comes out. */
  readonly madeOf: () => readonly (string | Buffer)[];
  /** Fills an empty folder with the root of the image. */
  readonly build: (folder: string) => Promise<void>;
  /** What `docker import --change` gets, each; an imported image has no command otherwise. */
  readonly changes?: readonly string[];
}

/** The real Traefik, compiled from its Go module. */
const traefik: ImageRoot = {
  reference: "traefik:v3.6.12",
  madeOf: () => [...sources(), basename(traefikFolder())],
  build: async (folder) => {
    mkdirSync(join(folder, "usr/local/bin"), { recursive: true });
    copyFileSync(join(traefikFolder(), "traefik"), join(folder, "usr/local/bin/traefik"));
    // Traefik reads the authorities that it trusts; none is fine, a missing folder is a warning.
    mkdirSync(join(folder, "etc/ssl/certs"), { recursive: true });
    makeTemporaryFolder(folder);
  },
  changes: ['ENTRYPOINT ["/usr/local/bin/traefik"]', "EXPOSE 80"],
};

/** Offers the Docker API on TCP port 2375, so that Traefik needs no socket: socat and no filter. */
const socketProxy: ImageRoot = {
  reference: "socket-proxy:1.8.0",
  madeOf: () => [...sources(), ...programContents("socat")],
  build: async (folder) => {
    copyProgram(folder, "socat");
    makeTemporaryFolder(folder);
  },
  changes: [
    'ENTRYPOINT ["/usr/bin/socat", "TCP-LISTEN:2375,fork,reuseaddr", "UNIX-CONNECT:/var/run/docker.sock"]',
  ],
};

/**
 * Serves /www on port 8080. A first process that sets no handler never hears SIGTERM, and busybox'
 * httpd sets none: the shell does, and ends at once.
 */
const serve = `#!/bin/sh
trap 'kill "$!"; exit 0' TERM INT
httpd -f -p 8080 -h /www &
wait "$!"
`;

function busybox(reference: string, page: string): ImageRoot {
  return {
    reference,
    madeOf: () => [...sources(), page, ...programContents("busybox")],
    build: async (folder) => {
      copyProgram(folder, "busybox");
      mkdirSync(join(folder, "bin"));
      // It is every command at once, told apart by the name that it is called by.
      for (const name of commandsOf("busybox")) {
        symlinkSync("/usr/bin/busybox", join(folder, "bin", name));
      }
      writeFileSync(join(folder, "bin/serve"), serve);
      chmodSync(join(folder, "bin/serve"), 0o755);
      mkdirSync(join(folder, "www"));
      writeFileSync(join(folder, "www/index.html"), page);
      mkdirSync(join(folder, "etc"));
      writeFileSync(join(folder, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
      makeTemporaryFolder(folder);
    },
    changes: ['CMD ["/bin/serve"]', "EXPOSE 8080"],
  };
}

/**
 * A place for Drone's server, which hosts bring along themselves: a stand-in that Node runs, or a real one.
 * It keeps its database where the public image has it.
 */
const drone: ImageRoot = {
  reference: "drone/drone:2.26.0",
  // As large as it is, its version tells it.
  madeOf: () => [...sources(), `${process.version} ${process.arch}`],
  build: async (folder) => {
    copyProgram(folder, "node", process.execPath);
    mkdirSync(join(folder, "bin"));
    symlinkSync("/opt/drone/drone-server", join(folder, "bin/drone-server"));
    makeTemporaryFolder(folder);
  },
  changes: [
    'ENTRYPOINT ["/bin/drone-server"]',
    "ENV DRONE_DATABASE_DRIVER=sqlite3 DRONE_DATABASE_DATASOURCE=/data/database.sqlite DRONE_SERVER_PORT=:80",
    // As the public image has it: what a file of settings says of these counts for nothing.
    "ENV DRONE_SERVER_HOST=localhost DRONE_DATADOG_ENABLED=true",
    "EXPOSE 80",
    "VOLUME /data",
  ],
};

/** Everything that the recipes of the tests run. */
export const images: readonly ImageRoot[] = [
  traefik,
  socketProxy,
  // Two versions that can be told apart by what they serve at /index.html.
  busybox("web:1.0.0", "web 1.0.0\n"),
  busybox("web:1.1.0", "web 1.1.0\n"),
  // The name that a public registry has too: the probe of abra's contract runs on real hosts as well.
  busybox("busybox:1.37.0", "busybox\n"),
  drone,
];

/** How the images are made: these very files. */
function sources(): readonly Buffer[] {
  return ["index.ts", "program.ts"].map((name) => readFileSync(join(import.meta.dirname, name)));
}

function traefikFolder(): string {
  const tool = cachedTools.find(({ name }) => name === "traefik");
  if (tool === undefined) throw new SetupError("no tool 'traefik': see test/setup/cached-tools.ts");
  return cachedFolder(tool);
}

function makeTemporaryFolder(folder: string): void {
  mkdirSync(join(folder, "tmp"));
  chmodSync(join(folder, "tmp"), 0o1777);
}
