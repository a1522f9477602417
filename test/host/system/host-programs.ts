import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = join(import.meta.dirname, "../../..");
const packages = join(repository, "nix/packages");
const recipe = readFileSync(join(packages, "host-program.nix"), "utf8");

type Files = Readonly<Record<string, { content: string; mode: number }>>;

let built: Files | undefined;

/**
 * What nix/packages builds for hosts, by the very words that stand there: the programs, by their paths
 * on a host.
 */
export function hostPrograms(): Files {
  built ??= Object.assign({}, ...readdirSync(packages).map(programOf));
  return built ?? {};
}

/** The program of one file of nix/packages; nothing for one that builds another thing. */
function programOf(file: string): Files {
  const text = readFileSync(join(packages, file), "utf8");
  const [folder, program] = ["folder", "program"].map(
    (key) => new RegExp(`^  ${key} = "([a-z-]+)";$`, "m").exec(text)?.[1],
  );
  if (folder === undefined || program === undefined) return {};
  const filled = recipe.replaceAll("${folder}", folder).replaceAll("${program}", program);
  const bundle = `/usr/share/cc-ci/${program}.cjs`;
  const defaults = [...filled.matchAll(/--set-default (\w+) (\S+)/g)].map(
    ([, name, value]) => `export ${name}="\${${name}-${value}}"\n`,
  );
  const wrapper = `#!/bin/sh
${defaults.join("")}exec /usr/local/bin/node ${bundle} "$@"
`;
  const args = readFrom(filled, /^ *esbuild (.+) --outfile=\S+\.cjs$/m).split(" ");
  return {
    [bundle]: { content: bundled(args), mode: 0o444 },
    [`/usr/bin/${program}`]: { content: wrapper, mode: 0o555 },
  };
}

function bundled(args: readonly string[]): string {
  const scratch = mkdtempSync(join(tmpdir(), "cc-ci-program-"));
  try {
    const file = join(scratch, "program.cjs");
    const esbuild = fileURLToPath(import.meta.resolve("esbuild/bin/esbuild"));
    execFileSync(esbuild, [...args, "--log-level=warning", `--outfile=${file}`], {
      cwd: join(repository, "services"),
    });
    return readFileSync(file, "utf8");
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function readFrom(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) {
    throw new Error(`nix/packages/host-program.nix has nothing like ${pattern}`);
  }
  return found;
}
