import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach } from "vitest";
import { requireTool } from "../tools.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";

/** The least that a host must say, as a module beside the ones of a test. */
const container = `{
  boot.isContainer = true;
  system.stateVersion = "26.05";
}`;

/** A folder for each test of a file, and what evaluates modules in it; needs nix-instantiate. */
export function evaluationFolder() {
  let folder: string | undefined;

  beforeEach(async (context) => {
    requireTool(context, "nix-instantiate");
    folder = await mkdtemp(join(tmpdir(), "cc-ci-eval-"));
  });

  afterEach(async () => {
    if (folder === undefined) return;
    // Nix leaves folders of a store without permission to write, which only root can remove.
    await execa("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true, force: true });
  });

  const pathOf = (name: string): string => join(folder ?? "", name);

  /** Evaluates these files of the folder; all `.nix` ones at its top are modules. */
  async function evaluateFiles(
    files: Readonly<Record<string, string>>,
    options: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const all = { "container.nix": container, ...files };
    for (const [name, text] of Object.entries(all)) {
      await mkdir(dirname(pathOf(name)), { recursive: true });
      await writeFile(pathOf(name), text);
    }
    const modules = Object.keys(all).filter((name) => /^[^/]+\.nix$/.test(name));
    return evaluate(modules.map(pathOf), options);
  }

  return { pathOf, evaluateFiles };
}
