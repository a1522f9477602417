import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = join(import.meta.dirname, "../../..");
const nixPackage = readFileSync(join(repository, "nix/packages/converge.nix"), "utf8");

/** Where the program is on a host. */
const program = "/usr/share/cc-ci/converge.cjs";

let bundled: string | undefined;

/** What nix/packages/converge.nix builds, by the very words that stand there, by its path on a host. */
export function convergeProgram(): Readonly<Record<string, { content: string; mode: number }>> {
  bundled ??= bundle();
  const wrapper = `#!/bin/sh
export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE-${readFrom(/NODE_COMPILE_CACHE (\S+)/)}}"
exec /usr/local/bin/node ${program} "$@"
`;
  return {
    [program]: { content: bundled, mode: 0o444 },
    "/usr/bin/converge": { content: wrapper, mode: 0o555 },
  };
}

function bundle(): string {
  const scratch = mkdtempSync(join(tmpdir(), "cc-ci-converge-"));
  try {
    const file = join(scratch, "converge.cjs");
    const args = readFrom(/^ *esbuild (.+) --outfile=converge\.cjs$/m).split(" ");
    const esbuild = fileURLToPath(import.meta.resolve("esbuild/bin/esbuild"));
    execFileSync(esbuild, [...args, "--log-level=warning", `--outfile=${file}`], {
      cwd: join(repository, "services"),
    });
    return readFileSync(file, "utf8");
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function readFrom(pattern: RegExp): string {
  const found = pattern.exec(nixPackage)?.[1];
  if (found === undefined) throw new Error(`nix/packages/converge.nix has nothing like ${pattern}`);
  return found;
}
