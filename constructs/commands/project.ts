import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CcCi, synthesize } from "../app.ts";
import { readConfig } from "../config-file.ts";
import { configuredApp } from "../configured-app.ts";
import { Checkout, readTemplates } from "../core/checkout.ts";
import { messageOf, UserError, userError } from "../core/errors.ts";
import type { FileSpec } from "../core/file-spec.ts";
import { Templates } from "../core/template.ts";
import { mayLieElsewhere } from "../elsewhere.ts";
import type { CommandContext } from "./run.ts";

/** The configuration, below the root of the checkout. */
const configFile = "cc-ci.yaml";

/** A checkout with the tree that its sources describe, and the files of that tree. */
export interface Project {
  readonly checkout: Checkout;
  readonly app: CcCi;
  readonly files: readonly FileSpec[];
}

/** Reads the sources and renders every file in memory. Writes nothing. */
export async function loadProject({ options, root }: CommandContext): Promise<Project> {
  const checkout = new Checkout(root, mayLieElsewhere);
  const { app, relocate } =
    options.app === undefined
      ? configuredApp(readConfig(configFile, checkout.read(configFile)))
      : { app: await importApp(options.app), relocate: undefined };
  const templates = new Templates(readTemplates(join(import.meta.dirname, "../../templates")));
  try {
    return { checkout, app, files: await synthesize(app, templates) };
  } catch (error) {
    if (!(error instanceof UserError) || relocate === undefined) throw error;
    throw new UserError(relocate(error.problems));
  }
}

/** The tree that a TypeScript file of the operator's own exports. */
async function importApp(file: string): Promise<CcCi> {
  const path = resolve(file);
  if (!existsSync(path))
    throw userError(file, "there is no such file: --app takes a TypeScript file");
  let exported: { readonly app?: unknown };
  try {
    exported = (await import(pathToFileURL(path).href)) as { readonly app?: unknown };
  } catch (error) {
    throw userError(file, `cannot be loaded: ${messageOf(error)}`);
  }
  if (exported.app instanceof CcCi) return exported.app;
  throw userError(file, "must export `app`, a CcCi: write `export const app = new CcCi()`");
}
