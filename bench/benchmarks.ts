import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manyApps } from "./many-apps.ts";
import { measure, type Side, type Times } from "./measure.ts";
import type { Row } from "./table.ts";

const repository = join(import.meta.dirname, "..");
const launcher = join(repository, "bin/node24");
const program = join(repository, "constructs/cli.ts");

/** What synth cannot do without; the limits are relative to a process that does nothing else. */
const imports = ["cdktf", "@cdktf/provider-null", "handlebars", "yaml", "zod"];

/** Compiles every file anew, as the first command on a fresh clone does. */
const uncompiled = { NODE_DISABLE_COMPILE_CACHE: "1" };

/**
 * Synth of the committed configuration, as a whole process. The launcher keeps Node's compile cache in
 * node_modules/.cache, so every run but the first one of a clone finds its code compiled; the limit is
 * for those. The other side never has that cache, nor what synth reads and writes.
 */
export async function benchSynth(): Promise<readonly Row[]> {
  return await withFolder((root) => {
    copyFileSync(join(repository, "cc-ci.yaml"), join(root, "cc-ci.yaml"));
    const empty = (): void => {
      for (const folder of ["out", "docs"])
        rmSync(join(root, folder), { recursive: true, force: true });
    };
    const synth = { command: [launcher, program, "synth", "--root", root] };
    const code = imports.map((name) => `import ${JSON.stringify(name)};`).join("");
    const only: Side = {
      // Resolved from this checkout, as the imports of synth are.
      command: [launcher, "--input-type=module", "--eval", code],
      env: uncompiled,
    };
    process.chdir(repository);
    const times = measure({
      only,
      empty: { ...synth, prepare: empty },
      unchanged: synth,
      uncompiled: { ...synth, env: uncompiled },
    });
    const ratio = (name: string, taken: Times, limit?: number): Row => ({
      name,
      times: taken,
      figure: taken.median / times.only.median,
      unit: "x",
      ...(limit === undefined ? {} : { limit }),
    });
    return [
      ratio(`node that only imports ${imports.join(", ")}`, times.only),
      ratio("synth into an empty folder", times.empty, 1.5),
      ratio("synth, no changes", times.unchanged, 1.5),
      ratio("synth, no changes, the first run of a clone", times.uncompiled),
    ];
  });
}

/**
 * Recipe apps on ten hosts, into an empty folder in memory: three thousand new files measure the disk,
 * whose time varies tenfold. The figure of growth is time per app.
 */
export async function benchManyApps(): Promise<readonly Row[]> {
  return await withFolder((folder) => {
    const side = (count: number): Side => {
      const root = join(folder, String(count));
      mkdirSync(root);
      writeFileSync(join(root, "cc-ci.yaml"), manyApps(count, 10));
      return {
        command: [launcher, program, "synth", "--root", root],
        prepare: () => {
          for (const each of ["out", "docs"])
            rmSync(join(root, each), { recursive: true, force: true });
        },
      };
    };
    const times = measure({ few: side(100), some: side(300), many: side(1000) });
    const row = (count: number, taken: Times): Row => ({
      name: `synth of ${count} apps on 10 hosts`,
      times: taken,
      figure: taken.median,
      unit: "s",
    });
    // What an app costs beyond the fixed part: linear means the same from 100 to 300 as to 1,000.
    const early = (times.some.median - times.few.median) / 200;
    const late = (times.many.median - times.some.median) / 700;
    return [
      row(100, times.few),
      row(300, times.some),
      { ...row(1000, times.many), limit: 2 },
      {
        name: "time per app from 300 to 1,000, to that from 100 to 300",
        times: { min: early, median: late, max: Math.max(early, late) },
        figure: late / early,
        unit: "x",
        limit: 1.5,
      },
    ];
  });
}

/** `--help`, over the time that the launcher takes to start a Node that does nothing. */
export function benchHelp(): readonly Row[] {
  const times = measure({
    nothing: { command: [launcher, "--eval", "0"] },
    help: { command: [launcher, program, "--help"] },
  });
  return [
    {
      name: "the launcher with a node that does nothing",
      times: times.nothing,
      figure: times.nothing.median * 1000,
      unit: "ms",
    },
    {
      name: "--help over that",
      times: times.help,
      figure: (times.help.median - times.nothing.median) * 1000,
      unit: "ms",
      limit: 100,
    },
  ];
}

async function withFolder(run: (folder: string) => readonly Row[]): Promise<readonly Row[]> {
  // In memory, where the machine has such a folder: see benchManyApps.
  const memory = "/dev/shm";
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), "cc-ci-bench-"));
  try {
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
