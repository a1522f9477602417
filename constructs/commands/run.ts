import { resolve } from "node:path";
import type { Options } from "../cli.ts";
import { UserError } from "../core/errors.ts";
import { check } from "./check.ts";
import { diff } from "./diff.ts";
import { graph } from "./graph.ts";
import { synth } from "./synth.ts";

/** What a command gets: its options, and the folder that it works on as an absolute path. */
export interface CommandContext {
  readonly options: Options;
  readonly root: string;
}

const commands: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  synth,
  check,
  diff,
  graph,
};

/** Runs a command. Prints what a person can mend, and gives 2 for it; any other error passes. */
export async function runCommand(name: string, options: Options): Promise<number> {
  const command = commands[name];
  if (command === undefined) throw new Error(`there is no command ${name}`);
  try {
    return await command({ options, root: resolve(options.root ?? ".") });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}
