import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { isCommand, knownOptions, parseCommandLine } from "./commands/options.ts";

/**
 * The command line. Only what `--help` needs is imported here: the rest is loaded by the command
 * that is run.
 */

const help = `cc-ci generates a CI server for Co-op Cloud recipes as NixOS modules.

usage: npm run <command> [-- <options>]

commands
  synth   read cc-ci.yaml and write out/, the manifest, the graph and the generated docs
  check   compare them with what the sources say; exit 1 with a diff when they differ
  diff    say what the next switch would do to the hosts
  graph   print the unit graph as Mermaid
  trigger start a test run in Drone, by the token in DRONE_TOKEN, and follow it

options
  --root <folder>   the checkout to work on (default: the current folder)
  --app <file>      a TypeScript file that exports \`app\`, a CcCi; by default cc-ci.ts, else cc-ci.yaml
  --json            check, diff: print JSON
  --markdown        diff: print Markdown, for a comment on a pull request
  --against <ref>   diff: compare with what is committed at this git ref, not with the disk
  --svg             graph: print SVG instead
  --host <name>     graph, trigger: which host, where there are several
  --recipe <name>   trigger: the recipe to test
  --ref <ref>       trigger: its branch, tag or commit
  --repository <o/n> trigger: its repository on the forge, by default one beside the CI repository
  --pull <number>   trigger: the pull request that it is about, by default none
  --quick           trigger: leave out the slow stages
  --help            print this
  --version         print the version

exit codes: 0 fine · 1 check found differences, or the run did not pass · 2 an error that names what to do
`;

// What was compiled once need not be again: a command answers in half the time. Without a folder that
// can be written to it goes without.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/node"));

/** Runs a command; gives the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parseCommandLine>;
  try {
    parsed = parseCommandLine(argv);
  } catch (error) {
    // Node goes on about arguments that begin with a dash, which no command takes.
    return refuse((error instanceof Error ? error.message : String(error)).split(". ")[0] ?? "");
  }
  const { values, positionals } = parsed;
  if (values.help) return print(help);
  if (values.version) return printVersion();
  const [command, ...rest] = positionals;
  if (command === undefined) return refuse("which command?");
  if (!isCommand(command)) return refuse(`there is no command ${JSON.stringify(command)}`);
  const extra = knownOptions(command);
  const strange = [
    ...rest,
    ...Object.keys(values)
      .filter((name) => !extra.includes(name))
      .map((name) => `--${name}`),
  ];
  if (strange.length > 0) {
    const eaten =
      rest.length > 0 ? " (npm keeps options for itself unless -- stands before them)" : "";
    return refuse(`${command} does not take ${strange.join(" ")}${eaten}`);
  }
  if (values.json && values.markdown) return refuse("take one of --json and --markdown");

  const { runCommand } = await import("./commands/run.ts");
  return await runCommand(command, values);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function printVersion(): Promise<number> {
  const { default: manifest } = await import("../package.json", { with: { type: "json" } });
  return print(`${manifest.version}\n`);
}

function refuse(message: string): number {
  process.stderr.write(`cc-ci: ${message}: see 'npm run synth -- --help'\n`);
  return 2;
}

// A pipe that is closed early, as by `head`, is no error; output that is lost otherwise is one.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.exitCode = 2;
    if (stream === process.stdout) process.stderr.write(`cc-ci: cannot print: ${error.message}\n`);
  });
}

const exitCode = await run(process.argv.slice(2));
process.exitCode ??= exitCode;
