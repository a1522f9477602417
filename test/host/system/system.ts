import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { CcCi } from "../../../constructs/app.ts";
import { type DesiredState, desiredStateSchema } from "../../../services/converge/desired-state.ts";
import { type Evaluation, evaluate } from "../../nix/evaluate.ts";
import { modulesIn, writeTree } from "../../nix/everything.ts";
import { appOf } from "../../synthesized.ts";
import { pathOf } from "../../tools.ts";
import { hostRoot } from "../machine/root.ts";
import type { Accounts } from "./accounts.ts";
import { hostPrograms } from "./host-programs.ts";

/** What `nixos-rebuild` would be given. */
export interface Configuration {
  /**
   * The text of a cc-ci.yaml with the one host `cc-ci`, a tree made by hand, or the folder of a
   * checkout whose generated host is taken as it is.
   */
  readonly app: string | CcCi | { readonly checkout: string };
  /** Texts of further NixOS modules, the operator's own. @default none */
  readonly modules?: readonly string[];
}

export type SystemFile =
  | { readonly content: string | Buffer; readonly mode: number }
  | { readonly link: string };

/** What a configuration comes to on a host: NixOS' system closure, as far as it matters here. */
export interface System {
  /** Unit files by their name, such as `cc-ci-traefik.service`. */
  readonly units: Evaluation["units"];
  /** Every file that a host of that configuration has, unit files included, by absolute path. */
  readonly files: ReadonlyMap<string, SystemFile>;
  readonly accounts: Accounts;
  /** Names in /etc/hosts, by their address. */
  readonly hosts: Evaluation["hosts"];
  /** The folder that stands for the system closure, and has its unit files. */
  readonly toplevel: string;
  /** Shell text by name: what must succeed before a switch to it. */
  readonly preSwitchChecks: Evaluation["preSwitchChecks"];
}

/** What is remembered of a system to switch to another one. */
export interface InstalledSystem {
  readonly units: Evaluation["units"];
  readonly paths: readonly string[];
}

export function installed({ units, files }: System): InstalledSystem {
  return { units, paths: [...files.keys()] };
}

/** Every desired state that a system has. */
export function desiredStates({ files }: System): readonly DesiredState[] {
  return [...files]
    .filter(([path]) => /^\/nix\/store\/[^/]+\.json$/.test(path))
    .flatMap(([, file]) => {
      const text = "link" in file ? "{}" : String(file.content);
      const { success, data } = desiredStateSchema.safeParse(JSON.parse(text));
      return success ? [data] : [];
    });
}

/**
 * Evaluates a configuration, and lays out what it comes to.
 *
 * @throws {Error} with the assertions that do not hold, as `nixos-rebuild` would say them
 */
export async function buildSystem({ app, modules = [] }: Configuration): Promise<System> {
  const scratch = mkdtempSync(join(tmpdir(), "cc-ci-system-"));
  try {
    const isGenerated = typeof app === "object" && "checkout" in app;
    if (!isGenerated) await writeTree(scratch, typeof app === "string" ? appOf(app) : app);
    const own = modules.map((text, index) => {
      const file = join(scratch, `own-${index}.nix`);
      writeFileSync(file, text);
      return file;
    });
    const store = join(scratch, "store");
    const evaluation = await evaluate(
      [...modulesIn(isGenerated ? app.checkout : scratch), ...own],
      { store },
    );
    if (evaluation.failedAssertions.length > 0) {
      throw new Error(`Failed assertions:\n${evaluation.failedAssertions.join("\n")}`);
    }
    return layOut(evaluation, filesBelow(join(store, "nix/store"), "/nix/store"));
  } finally {
    // Files of a Nix store cannot be written to; root may remove them all the same.
    rmSync(scratch, { recursive: true, force: true });
  }
}

function layOut(evaluation: Evaluation, store: ReadonlyMap<string, SystemFile>): System {
  const files = new Map(store);
  const put = (path: string, content: string, mode = 0o444): void => {
    files.set(path, { content, mode });
  };
  for (const [name, unit] of Object.entries(evaluation.units)) {
    const folder = "/etc/systemd/system";
    if (debianHas(name)) put(`${folder}/${name}.d/overrides.conf`, overriding(unit.text));
    else put(`${folder}/${name}`, unit.text);
    for (const [kind, pullers] of Object.entries({
      wants: unit.wantedBy,
      requires: unit.requiredBy,
    }))
      for (const puller of pullers)
        files.set(`${folder}/${puller}.${kind}/${name}`, { link: `${folder}/${name}` });
  }
  for (const [name, file] of Object.entries(evaluation.etc)) {
    if (file.text === undefined) files.set(`/etc/${name}`, { link: file.source ?? "" });
    else
      put(
        `/etc/${name}`,
        file.text,
        file.mode === "symlink" ? 0o444 : Number.parseInt(file.mode, 8),
      );
  }
  put("/etc/tmpfiles.d/00-nixos.conf", evaluation.tmpfiles.map((rule) => `${rule}\n`).join(""));
  const texts = Object.values(evaluation.preSwitchChecks);
  for (const path of packagePaths(files, texts))
    if (!files.has(path)) files.set(path, { link: "/usr" });
  for (const [path, file] of Object.entries(hostPrograms())) files.set(path, file);
  const { units, users, groups, preSwitchChecks, hosts } = evaluation;
  const unitFiles = [...files].filter(([path]) => path.startsWith("/etc/systemd/system/"));
  const toplevel = `/nix/store/${digestOf(unitFiles)}-nixos-system-cc-ci`;
  for (const [path, file] of unitFiles) files.set(`${toplevel}${path}`, file);
  // What a configuration installs for everybody, Debian has for everybody too.
  files.set(`${toplevel}/sw`, { link: "/usr" });
  // NixOS does so as it boots and as it switches.
  put("/etc/tmpfiles.d/00-current-system.conf", `L+ /run/current-system - - - - ${toplevel}\n`);
  return { units, files, accounts: { users, groups }, hosts, toplevel, preSwitchChecks };
}

/** 32 characters of the alphabet that Nix uses for hashes. */
function digestOf(value: unknown): string {
  const hex = createHash("sha256").update(JSON.stringify(value)).digest("hex");
  return hex.replaceAll("e", "x").slice(0, 32);
}

function filesBelow(folder: string, as: string): ReadonlyMap<string, SystemFile> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile() && !entry.parentPath.includes("/.links"))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [
          join(as, relative(folder, path)),
          { content: readFileSync(path), mode: 0o444 },
        ] as const;
      }),
  );
}

function debianHas(unit: string): boolean {
  return readdirSync(join(pathOf(hostRoot), "usr/lib/systemd/system")).includes(unit);
}

/**
 * NixOS writes what a configuration says of a unit that comes with a package as a drop-in, and so it
 * is here. What starts the service replaces what the package says; NixOS' module has a line for that
 * which the small evaluator leaves out.
 */
function overriding(text: string): string {
  return /^ExecStart=$/m.test(text) ? text : text.replace(/^ExecStart=/m, "ExecStart=\nExecStart=");
}

/** Packages that the files and further texts name. None is built: each is the host's own /usr. */
function packagePaths(
  files: ReadonlyMap<string, SystemFile>,
  more: readonly string[],
): ReadonlySet<string> {
  const texts = [...files.values()].map((file) =>
    "link" in file ? file.link : String(file.content),
  );
  return new Set(
    [...texts, ...more].flatMap(
      (text) => text.match(/\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+/g) ?? [],
    ),
  );
}
