import { join } from "node:path";
import { execa } from "execa";
import * as z from "zod";
import { findTool } from "../tools.ts";

/** One unit file, and the units that pull it in. */
const unitSchema = z.object({
  text: z.string(),
  wantedBy: z.array(z.string()).readonly(),
  requiredBy: z.array(z.string()).readonly(),
});

const etcFileSchema = z.object({
  /** "symlink", or the mode of a copy, such as "0440". */
  mode: z.string(),
  text: z.string().optional(),
  /** Absolute path, when the file has no text. */
  source: z.string().optional(),
});

const evaluationSchema = z.object({
  /** By full name, `cc-ci-traefik.service`; disabled units are left out. */
  units: z.record(z.string(), unitSchema),
  /** By path below /etc. */
  etc: z.record(z.string(), etcFileSchema),
  /** Names by address, as /etc/hosts has them; NixOS adds the host's own. */
  hosts: z.record(z.string(), z.array(z.string())),
  tmpfiles: z.array(z.string()).readonly(),
  /** Shell text by name: what must succeed before a switch to this host. */
  preSwitchChecks: z.record(z.string(), z.string()),
  users: z.array(
    z.object({
      name: z.string(),
      /** The one that its files belong to. */
      group: z.string(),
      extraGroups: z.array(z.string()),
      home: z.string(),
    }),
  ),
  groups: z.array(z.string()),
  /** Messages of the assertions that do not hold. */
  failedAssertions: z.array(z.string()).readonly(),
  warnings: z.array(z.string()).readonly(),
  docker: z.object({
    enable: z.boolean(),
    liveRestore: z.boolean(),
    package: z.string(),
    settings: z.record(z.string(), z.json()),
    autoPrune: z.object({
      enable: z.boolean(),
      dates: z.string(),
      flags: z.array(z.string()).readonly(),
    }),
  }),
  firewall: z.object({
    enable: z.boolean(),
    backend: z.string(),
    allowedTCPPorts: z.array(z.number()).readonly(),
    allowedUDPPorts: z.array(z.number()).readonly(),
  }),
  /** For each name that was asked about: whether the host allows that unfree package. */
  unfree: z.record(z.string(), z.boolean()),
});

/** What a list of NixOS modules comes to. */
export type Evaluation = Readonly<z.infer<typeof evaluationSchema>>;

export interface EvaluateOptions {
  /**
   * Absolute path of a nixpkgs tree whose NixOS evaluates the modules.
   *
   * @default the small evaluator in `eval/`, which needs no nixpkgs
   */
  readonly nixpkgs?: string;
  /**
   * Package names to put to the host's `allowUnfreePredicate`.
   *
   * @default none
   */
  readonly unfree?: readonly string[];
  /**
   * A folder of the caller's: files of the modules (`${./traefik.json}`) are copied to
   * `<store>/nix/store/…`, under the paths that the texts name. Slow with `nixpkgs`. Folders in it
   * come without permission to write: `chmod -R u+w` goes before removing it.
   *
   * @default paths are only computed, and nothing is written anywhere
   */
  readonly store?: string;
}

/** A host takes 0.1 s, with the real NixOS a few seconds; this is for one that hangs. */
const limitMilliseconds = 120_000;

/**
 * Evaluates NixOS modules, given by their absolute paths, with all that they import. Every unit's
 * text and every option's value is looked at. Needs no daemon, no root and no /nix folder.
 *
 * @throws {Error} with Nix' own words when the modules are wrong, or when Nix is missing
 */
export async function evaluate(
  modules: readonly string[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const request = { modules, unfree: options.unfree ?? [], nixpkgs: options.nixpkgs };
  const value = await evaluateFile("request.nix", { request: JSON.stringify(request) }, options);
  return evaluationSchema.parse(value);
}

/**
 * The value of a file in `eval/`, a function of named strings.
 *
 * @throws {Error} with Nix' own words, or when Nix is missing
 */
export async function evaluateFile(
  file: string,
  parameters: Readonly<Record<string, string>>,
  { store }: Pick<EvaluateOptions, "store"> = {},
): Promise<unknown> {
  const program = findTool("nix-instantiate");
  if (program === undefined) throw new Error("needs nix-instantiate: run 'npm run setup'");
  const result = await execa(
    program,
    [
      ...(store === undefined ? ["--store", "dummy://"] : ["--store", store, "--read-write-mode"]),
      ...["--eval", "--strict", "--json", join(import.meta.dirname, "eval", file)],
      ...Object.entries(parameters).flatMap(([name, value]) => ["--argstr", name, value]),
    ],
    {
      reject: false,
      stdin: "ignore",
      timeout: limitMilliseconds,
      killSignal: "SIGKILL",
      // Not the caller's NIX_PATH, NIX_CONFIG or NIXOS_EXTRA_MODULE_PATH.
      extendEnv: false,
      env: { PATH: process.env.PATH, HOME: "/homeless-shelter", LC_ALL: "C.UTF-8" },
    },
  );
  if (result.timedOut) {
    throw new Error(`nix-instantiate did not end within ${limitMilliseconds / 1000} s`);
  }
  if (result.failed) throw new Error(nixMessage(result.stderr));
  return JSON.parse(result.stdout);
}

function nixMessage(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !line.includes("--show-trace"));
  return lines.join("\n").trim() || "nix-instantiate failed and said nothing";
}
