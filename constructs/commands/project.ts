import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CcCi, synthesize } from "../app.ts";
import { readConfig } from "../config/file.ts";
import { ConfigurationPapers } from "../config/papers.ts";
import { type ConfiguredApp, configuredApp } from "../config/tree.ts";
import { Checkout, readTemplates } from "../core/checkout.ts";
import { validationProblems } from "../core/collect.ts";
import { messageOf, type Problem, systemErrorCode, UserError, userError } from "../core/errors.ts";
import type { FileSpec } from "../core/file-spec.ts";
import { Templates } from "../core/template.ts";
import { mayLieElsewhere } from "../elsewhere.ts";
import type { CommandContext } from "./options.ts";

/** Where the hosts are described, below the root of the checkout: as data, or in TypeScript. */
const sources = { data: "cc-ci.yaml", code: "cc-ci.ts" } as const;

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
  const code = options.app === undefined ? codeOf(checkout) : resolve(options.app);
  const { app, relocate } =
    code === undefined
      ? appOfData(checkout)
      : { app: await importApp(code), relocate: (problems: readonly Problem[]) => problems };
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
    throw error instanceof UserError ? new UserError(relocate(error.problems)) : error;
  }
}

/** The tree that `cc-ci.yaml` describes. Throws all that is wrong, in its shape and in its meaning. */
function appOfData(checkout: Checkout): ConfiguredApp {
  const file = readConfig(sources.data, checkout.read(sources.data));
  const configured = configuredApp(file);
  if (file.problems.length === 0) return configured;
  throw new UserError([
    ...file.problems,
    ...configured.relocate(validationProblems(configured.app)),
  ]);
}

/** The TypeScript file in the place of the configuration; undefined where there is none. */
function codeOf(checkout: Checkout): string | undefined {
  if (!checkout.has(sources.code)) return undefined;
  if (checkout.has(sources.data)) {
    throw userError(sources.code, `stands beside ${sources.data}: keep one of the two`);
  }
  return join(checkout.root, sources.code);
}

/** The tree that a TypeScript file of the operator's own exports. */
async function importApp(file: string): Promise<CcCi> {
  let exported: { readonly app?: unknown };
  try {
    exported = (await import(pathToFileURL(file).href)) as { readonly app?: unknown };
  } catch (error) {
    const lost =
      systemErrorCode(error) === "ERR_MODULE_NOT_FOUND" && messageOf(error).includes(`'${file}'`);
    throw userError(
      file,
      lost
        ? "there is no such file: name a TypeScript file"
        : `cannot be loaded: ${messageOf(error)}`,
    );
  }
  if (exported.app instanceof CcCi) {
    if (exported.app.hosts.length > 0) return exported.app;
    throw userError(file, "exports an `app` without a host: put one into it, `new Host(app, …)`");
  }
  throw userError(file, "must export `app`, a CcCi: write `export const app = new CcCi()`");
}
