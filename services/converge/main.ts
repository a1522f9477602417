// converge: makes the pieces of this host what their desired state says. See docs/runbook.md.
import { parseArgs } from "node:util";
import * as z from "zod";
import { say } from "../lib/say.ts";
import { exitStatus, type Outcome, type Stop } from "./engine/line.ts";
import { asStop, surpriseLines } from "./engine/surprise.ts";

// Each run reads a thing a few times, and is over before a compiled reader has paid off.
z.config({ jitless: true });

const usage = `converge: makes what runs on this host what its configuration says

  converge plan [piece] [--json]     every call that would be made now, and why; changes nothing
  converge status [piece] [--json]   every piece, its state and since when
  converge run [piece]               start the unit of a piece, or all, and show what they do
  converge abra <app> …              abra with the state folder of that app
  converge apply <file> [--slot name=value]…
                                     what the unit of a piece runs; refused outside of it

Exit status: 0 converged, 1 failed, 2 refused (a person must decide), 75 pending.
`;

/** `EX_USAGE` of sysexits.h: the command line is wrong. */
const usageStatus = 64;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  // Each command is loaded by itself: what a shell asks for often should answer at once.
  switch (command) {
    case "apply": {
      const { values, positionals } = parseArgs({
        args: rest,
        allowPositionals: true,
        options: { slot: { type: "string", multiple: true } },
      });
      const [file] = positionals;
      const slots = (values.slot ?? []).map((pair) => /^([a-z][a-z0-9-]*)=(.*)$/s.exec(pair));
      if (file === undefined || positionals.length > 1 || slots.includes(null)) return help();
      const { applyCommand } = await import("./commands/apply.ts");
      const filled = slots.map((match) => [match?.[1] ?? "", match?.[2] ?? ""] as const);
      return await applyCommand(file, Object.fromEntries(filled));
    }
    case "plan":
    case "status": {
      const { values, positionals } = parseArgs({
        args: rest,
        allowPositionals: true,
        options: { json: { type: "boolean", default: false } },
      });
      if (positionals.length > 1) return help();
      if (command === "plan") {
        const { planCommand } = await import("./commands/plan.ts");
        return await planCommand(positionals[0], values.json);
      }
      const { statusCommand } = await import("./commands/status.ts");
      return await statusCommand(positionals[0], values.json);
    }
    case "run": {
      const { positionals } = parseArgs({ args: rest, allowPositionals: true });
      if (positionals.length > 1) return help();
      const { runCommand } = await import("./commands/run.ts");
      return await runCommand(positionals[0]);
    }
    case "abra": {
      const [app, ...args] = rest;
      if (app === undefined) return help();
      const { abraCommand } = await import("./commands/abra.ts");
      return await abraCommand(app, args);
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

function help(): number {
  process.stderr.write(usage);
  return usageStatus;
}

/** What nobody else has caught. */
function surprised(error: unknown): void {
  if (
    error instanceof TypeError &&
    "code" in error &&
    String(error.code).startsWith("ERR_PARSE_ARGS")
  ) {
    say(error.message, "error");
    process.exitCode = help();
  } else {
    process.exitCode = sayStop(asStop(error));
  }
}

/** @returns the exit status */
function sayStop({ line, details }: Stop): number {
  say(`${line.as} [${line.id}]: ${line.text}`, "error");
  if (details !== "") say(details);
  return exitStatus[line.as as Outcome];
}

/** Who reads went away, or the disk is full: what was to be said is lost, and not that it was. */
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") process.exit(exitStatus.failed);
  process.exit(sayStop(surpriseLines.stop("output-lost", { problem: message })));
});

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
}, surprised);
