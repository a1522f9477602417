import { resolve } from "node:path";
import { messageOf, systemErrorCode, UserError } from "../core/errors.ts";
import type { CommandContext, CommandName, Options } from "./options.ts";
import { visible, visibleLine } from "./visible.ts";

type Command = (context: CommandContext) => Promise<number>;

/** Each loads its own file alone: types are stripped at every start. */
const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  synth: async () => (await import("./synth.ts")).synth,
  check: async () => (await import("./check.ts")).check,
  diff: async () => (await import("./diff.ts")).diff,
  graph: async () => (await import("./graph.ts")).graph,
  trigger: async () => (await import("./trigger.ts")).trigger,
};

/**
 * Runs a command. Prints what a person can mend, or else the defect with its stack; gives 2 for
 * both, since 1 says that `check` found differences.
 */
export async function runCommand(name: CommandName, options: Options): Promise<number> {
  try {
    const command = await commands[name]();
    return await command({ options, root: resolve(options.root ?? ".") });
  } catch (error) {
    if (error instanceof UserError) {
      const lines = error.problems.map(({ where, message }) => `${where}: ${message}`);
      process.stderr.write(`${lines.map(visibleLine).join("\n")}\n`);
    } else if (isMissingPackage(error)) {
      process.stderr.write("cc-ci: a package is missing: run 'npm ci'\n");
    } else {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`${visible(stack)}\ncc-ci: this is a defect of cc-ci: report it\n`);
    }
    return 2;
  }
}

/** Whether an import found no package: nothing was installed, or not all of it. */
function isMissingPackage(error: unknown): boolean {
  return systemErrorCode(error) === "ERR_MODULE_NOT_FOUND" && messageOf(error).includes("package");
}
