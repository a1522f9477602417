import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CcCi, synthesize } from "../app.ts";
import { readConfig } from "../config/file.ts";
import { ConfigurationPapers } from "../config/papers.ts";
import { configuredApp } from "../config/tree.ts";
import { Checkout, readTemplates } from "../core/checkout.ts";
import { messageOf, UserError, userError } from "../core/errors.ts";
import type { FileSpec } from "../core/file-spec.ts";
import { Templates } from "../core/template.ts";
import { mayLieElsewhere } from "../elsewhere.ts";
import type { CommandContext } from "./options.ts";

/** The configuration, below the root of the checkout. */
const configName = "cc-ci.yaml";

/** A checkout with the tree that its sources describe, and the files of that tree. */
export interface Project {
  readonly checkout: Checkout;
  readonly app: CcCi;
  readonly files: readonly FileSpec[];
}

/**
 * Reads the sources and renders every file in memory. Writes nothing.
 * @param drawn whether to take pictures of the last synth where the graph is the same: `check` draws
 *   them all, since it must not trust what lies there.
 */
export async function loadProject(
  { options, root }: CommandContext,
  drawn: "again" | "once",
): Promise<Project> {
  const checkout = new Checkout(root, mayLieElsewhere);
  const { app, relocate } =
    options.app === undefined
      ? configuredApp(readConfig(configName, checkout.read(configName)))
      : { app: await importApp(options.app), relocate: undefined };
  new ConfigurationPapers(app, "configuration");
  const templates = new Templates(readTemplates(join(import.meta.dirname, "../../templates")));
  try {
    const manifest = drawn === "once" ? checkout.manifest() : undefined;
    const files = await synthesize(app, templates, (path, drawnFrom) => {
      const before = checkout.untouched(path, manifest);
      return before?.includes(drawnFrom) ? before : undefined;
    });
    return { checkout, app, files };
  } catch (error) {
    if (!(error instanceof UserError) || relocate === undefined) throw error;
    throw new UserError(relocate(error.problems));
  }
}

/** The tree that a TypeScript file of the operator's own exports. */
async function importApp(file: string): Promise<CcCi> {
  const path = resolve(file);
  let exported: { readonly app?: unknown };
  try {
    exported = (await import(pathToFileURL(path).href)) as { readonly app?: unknown };
  } catch (error) {
    throw userError(file, `cannot be loaded: ${messageOf(error)}`);
  }
  if (exported.app instanceof CcCi) return exported.app;
  throw userError(file, "must export `app`, a CcCi: write `export const app = new CcCi()`");
}
