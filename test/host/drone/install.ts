import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dronePrograms } from "../../drone/programs.ts";
import { makeScratch } from "../../scratch.ts";

/** Puts Drone's two programs into the root of a host: the real ones where they are named, else the stand-ins. */
export function installDrone(root: string): void {
  const scratch = makeScratch();
  try {
    const { server, runner } = dronePrograms(scratch);
    // The folder stands in for what the image of the server would have in it, Node included.
    putProgram(server, join(root, "usr/share/test-drone/drone-server"), "/usr/bin/node");
    // It trusts whom the host trusts, as programs do that are not Node's.
    const node =
      "/usr/bin/env -S NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt /usr/local/bin/node";
    putProgram(runner, join(root, "usr/bin/drone-runner-exec"), node);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function putProgram(command: readonly string[], path: string, node: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const [program = "", ...args] = command;
  const script = args.at(-1);
  if (script === undefined) copyFileSync(program, path);
  // Node takes for its own what looks like an option of it, up to the dashes.
  else writeFileSync(path, `#!${node} --\n${readFileSync(script, "utf8")}`);
  chmodSync(path, 0o755);
}
