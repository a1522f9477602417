// cc-ci-run: asks for a test run on this host, and gives it one. See docs/runbook.md.
import { parseArgs } from "node:util";
import * as z from "zod";
import { Stop } from "../lib/line.ts";
import { say } from "../lib/say.ts";
import { defectOf } from "./defect.ts";

// Each start reads a thing a few times, and is over before a compiled reader has paid off.
z.config({ jitless: true });

const usage = `cc-ci-run: asks for test runs on this host, and gives them one

  cc-ci-run ask                      what a build runs: asks for the run of its CCCI_ parameters
  cc-ci-run list [--json]            the runs that go on, for root
  cc-ci-run drain [--end] <command> …
                                     runs a command, such as a switch, once no run goes on; none begins
                                     before it has ended. With --end, runs are ended for it
  cc-ci-run may-switch <system> <action> [<pid>]
                                     whether a switch would end one, as NixOS asks before it

  cc-ci-run serve <harness>          what the service of a run runs, and what it runs last;
  cc-ci-run end <harness>            refused outside of it
  cc-ci-run sweep <harness> --keep-days <n> --keep-runs <n> --keep-gib <n>
                                     ends what nobody was left to end, removes what is not kept

Exit status: 0 when it is as asked for, of 'ask' when the run passed; else 1. Of 'drain' that of the command.
`;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const [first, second, third] = rest;
  // Each command is loaded by itself: a build waits for it, and so does a switch.
  switch (command) {
    case "ask": {
      if (rest.length > 0) return help();
      const { askCommand, endWithParent } = await import("./commands/ask.ts");
      endWithParent();
      const print = (text: string) => void process.stdout.write(text);
      return await askCommand({ environment: process.env, print });
    }
    case "serve": {
      if (first === undefined || rest.length > 1) return help();
      const { serveCommand } = await import("./commands/serve.ts");
      return await serveCommand(first);
    }
    case "end": {
      if (first === undefined || rest.length > 1) return help();
      const { endCommand } = await import("./commands/end.ts");
      return await endCommand(first);
    }
    case "sweep": {
      const option = { type: "string" } as const;
      const options = { "keep-days": option, "keep-runs": option, "keep-gib": option };
      const { values, positionals } = parseArgs({ args: rest, allowPositionals: true, options });
      const [days, runs, gib] = Object.keys(options).map((name) =>
        Number(values[name as keyof typeof values]),
      );
      const [harness] = positionals;
      if (harness === undefined || !days || !runs || !gib) return help();
      const { sweepCommand } = await import("./commands/sweep.ts");
      return await sweepCommand(harness, { days, runs, bytes: gib * 1024 ** 3 });
    }
    case "list": {
      const options = { json: { type: "boolean", default: false } } as const;
      const { values } = parseArgs({ args: rest, options });
      const { listCommand } = await import("./commands/list.ts");
      return await listCommand(values.json);
    }
    case "drain": {
      const end = first === "--end";
      const [program, ...args] = end ? rest.slice(1) : rest;
      if (program === undefined || program.startsWith("-")) return help();
      const { drainCommand } = await import("./commands/drain.ts");
      return await drainCommand({ command: [program, ...args], end });
    }
    case "may-switch": {
      if (first === undefined || second === undefined) return help();
      const pid = third === undefined ? undefined : Number(third);
      const { maySwitchCommand } = await import("./commands/may-switch.ts");
      return await maySwitchCommand(first, second, pid);
    }
    case "--help":
    case "-h":
    case "help":
      process.stdout.write(usage);
      return 0;
    default:
      return help();
  }
}

/** Drone gives some exit statuses a meaning of its own: whatever is wrong here is 1. */
function help(): number {
  process.stderr.write(usage);
  return 1;
}

/** What nobody else has caught. */
function ended(error: unknown): void {
  const { line, details } = error instanceof Stop ? error : defectOf(error);
  say(`${line.as} [${line.id}]: ${line.text}`, "error");
  if (details !== "") say(details);
  process.exitCode = 1;
}

/** Who reads went away: what a build prints is nobody's any more, and its run is called off. */
process.stdout.on("error", () => process.exit(1));

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
}, ended);
