import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "../../tools.ts";
import { type Settings, settingsFile } from "./settings.ts";

const folder = "/usr/share/abra-stand-in";
const nodeModules = join(import.meta.dirname, "../../../node_modules");

const wrapper = `#!/bin/sh
# Stand-in for abra, see ${folder}/main.ts.
exec /usr/local/bin/node ${folder}/main.ts "$@"
`;

/** Puts the stand-in into the root of a host as \`/usr/bin/abra\`, with all that it needs. */
export function installAbraStandIn(root: string): void {
  const target = join(root, folder);
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(import.meta.dirname).filter((each) => each.endsWith(".ts"))) {
    copyFileSync(join(import.meta.dirname, name), join(target, name));
  }
  writeFileSync(join(target, "package.json"), '{ "type": "module" }\n');
  for (const name of ["yaml", "zod"]) {
    cpSync(join(nodeModules, name), join(target, "node_modules", name), {
      recursive: true,
      filter: (source) =>
        !/\.(?:d\.c?ts|cjs|cts|map)$|\/(?:src|browser|locales\/.*\.d)$/.test(source),
    });
  }
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
