import { parseArgs } from "node:util";

const options = {
  root: { type: "string" },
  app: { type: "string" },
  json: { type: "boolean" },
  markdown: { type: "boolean" },
  against: { type: "string" },
  svg: { type: "boolean" },
  host: { type: "string" },
  recipe: { type: "string" },
  repository: { type: "string" },
  ref: { type: "string" },
  pull: { type: "string" },
  quick: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** Which options a command knows beside the common ones. */
const known = {
  synth: [],
  check: ["json"],
  diff: ["json", "markdown", "against"],
  graph: ["svg", "host"],
  trigger: ["host", "recipe", "repository", "ref", "pull", "quick"],
} as const;

export type CommandName = keyof typeof known;

/** The options as they were given. */
export type Options = ReturnType<typeof parseCommandLine>["values"];

/** What a command gets: its options, and the folder that it works on as an absolute path. */
export interface CommandContext {
  readonly options: Options;
  readonly root: string;
}

/** Takes a command line apart. Throws a TypeError of Node for an option that no command knows. */
export function parseCommandLine(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
}

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(known, name);
}

/** Every option that this command takes. */
export function knownOptions(command: CommandName): readonly string[] {
  return ["root", "app", ...known[command]];
}
