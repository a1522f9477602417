import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { contentsOf } from "./tree.ts";

/** The checkout whose command line is tested. */
export const repository = join(import.meta.dirname, "../..");

const launcher = join(repository, "bin/node24");
const program = join(repository, "constructs/cli.ts");

/** How a process ended and what it printed. */
export interface Outcome {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Variables beside or instead of those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A shell line that `"$@"` starts the command in, such as `umask 077; exec "$@"`. */
  readonly within?: string;
  /** Arguments of Node itself. */
  readonly nodeOptions?: string;
}

/** Runs the real command, as `npm run` does, on the checkout in `root`. */
export async function runCli(
  root: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return await run(launcher, [program, ...args, "--root", root], { cwd: root, ...options });
}

/** Runs the command line with exactly these arguments. */
export async function runBare(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return await run(launcher, [program, ...args], { cwd: repository, ...options });
}

async function run(
  file: string,
  args: readonly string[],
  { env = {}, cwd, within, nodeOptions }: RunOptions & { readonly cwd: string },
): Promise<Outcome> {
  const command =
    within === undefined ? [file, ...args] : ["/bin/sh", "-c", within, "sh", file, ...args];
  const [first = "", ...rest] = command;
  const result = await execa(first, rest, {
    cwd,
    env: {
      // Colours are for terminals; a runner that wants them must not change what is compared.
      FORCE_COLOR: undefined,
      NO_COLOR: "1",
      ...env,
      NODE_OPTIONS: nodeOptions ?? "",
    },
    reject: false,
    stripFinalNewline: false,
    stdin: "ignore",
  });
  return {
    code: result.exitCode,
    signal: result.signal,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** An empty folder that goes away with the test, whatever was done to the modes in it. */
export function scratch(name = "cc-ci-cli-"): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** All files of a checkout after its first synth, for a hook: many tests may begin there. */
export async function filesAfterSynth(
  sources: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const root = mkdtempSync(join(tmpdir(), "cc-ci-cli-"));
  try {
    writeFiles(root, sources);
    const { code, stderr } = await runCli(root, ["synth"]);
    if (code !== 0) throw new Error(`synth failed: ${stderr}`);
    return Object.fromEntries([...contentsOf(root)].filter(([path]) => !path.endsWith("/")));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A scratch checkout with these files; one that is executable has `#!` at its start. */
export function checkoutWith(files: Readonly<Record<string, string>>, name?: string): string {
  const root = scratch(name);
  writeFiles(root, files);
  return root;
}

export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const absolute = join(root, path);
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, content);
    if (content.startsWith("#!")) chmodSync(absolute, 0o755);
  }
}
