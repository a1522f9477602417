import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "../../tools.ts";
import { bundleOf } from "../bundle.ts";
import { type Settings, settingsFile } from "./settings.ts";

const folder = "/usr/share/abra-stand-in";

const wrapper = `#!/bin/sh
# Stand-in for abra, see test/host/abra.
exec /usr/local/bin/node ${folder}/abra.cjs "$@"
`;

/** Puts the stand-in into the root of a host as \`/usr/bin/abra\`, with all that it needs. */
export function installAbraStandIn(root: string): void {
  const target = join(root, folder);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "abra.cjs"), bundleOf(join(import.meta.dirname, "main.ts")));
  const dotenv = findTool("dotenv");
  if (dotenv === undefined) throw new Error("no dotenv in the cache: run 'npm run setup'");
  copyFileSync(dotenv, join(target, "dotenv"));
  writeFileSync(join(root, "usr/bin/abra"), wrapper);
  chmodSync(join(root, "usr/bin/abra"), 0o755);
}

/** Gives the stand-in other answers than the contract's; those that are not named stay. */
export function answerOtherwise(root: string, settings: Partial<Settings>): void {
  writeFileSync(join(root, settingsFile), `${JSON.stringify(settings)}\n`);
}
