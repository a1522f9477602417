import { isUtf8 } from "node:buffer";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { compare, type Difference } from "./comparison.ts";
import { digestOf } from "./digest.ts";
import { diskError, remedies } from "./disk-error.ts";
import { systemErrorCode, userError } from "./errors.ts";
import type { FileSpec } from "./file-spec.ts";
import { type Manifest, manifestPath, parseManifest } from "./manifest.ts";
import type { TemplateSources } from "./template.ts";

/** The folder that holds generated files and nothing else. */
const outFolder = "out";

/** The end of the name of a file that is being written; its process id stands before it. */
const partialName = /\.(\d+)\.partial$/;

/**
 * The checkout on the disk, and the only code that touches it: reads the sources, compares and
 * writes the generated files. Every failure is a UserError that says what to do.
 */
export class Checkout {
  readonly root: string;
  readonly #mayLieAt: (path: string) => boolean;

  /**
   * @param root absolute path of the checkout.
   * @param elsewhere tells which paths outside of `out/` are generated too.
   */
  constructor(root: string, elsewhere: (path: string) => boolean) {
    this.root = root;
    this.#mayLieAt = (path) => path.startsWith(`${outFolder}/`) || elsewhere(path);
  }

  /** The text of a source file. */
  read(path: string): string {
    try {
      this.#refuseEndless(path);
      const bytes = readFileSync(join(this.root, path));
      if (!isUtf8(bytes)) throw userError(path, "is not in UTF-8: save it in that encoding");
      return bytes.toString("utf8");
    } catch (error) {
      throw diskError(path, "be read", error);
    }
  }

  /** The manifest of the last synth, or undefined before the first one. */
  manifest(): Manifest | undefined {
    this.#refuseLinks(manifestPath);
    const absolute = join(this.root, manifestPath);
    if (!existsSync(absolute)) return undefined;
    return parseManifest(this.read(manifestPath), this.#mayLieAt);
  }

  /** Whether there is a file at this path. */
  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  /** Names of the folders in this one, sorted; none where it is missing. */
  foldersIn(path: string): readonly string[] {
    const absolute = join(this.root, path);
    if (!existsSync(absolute)) return [];
    return readdirSync(absolute, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }

  /** The text of a generated file that is just as this manifest says; else undefined. */
  untouched(path: string, manifest: Manifest | undefined): string | undefined {
    this.#refuseLinks(path);
    const written = manifest?.files[path]?.digest;
    const content = written === undefined ? undefined : this.#readFile(path);
    return content !== undefined && digestOf(content) === written ? content : undefined;
  }

  /** The text of those of these files that are there. */
  readSome(paths: readonly string[]): ReadonlyMap<string, string> {
    return new Map(
      paths.flatMap((path) => {
        const content = this.#readFile(path);
        return content === undefined ? [] : [[path, content] as const];
      }),
    );
  }

  /** Compares these files with the disk. Writes nothing. */
  compare(files: readonly FileSpec[]): readonly Difference[] {
    const manifest = this.manifest();
    const elsewhere = [
      ...files.map(({ path }) => path),
      ...Object.keys(manifest?.files ?? {}),
    ].filter((path) => !path.startsWith(`${outFolder}/`));
    const disk = this.readOut();
    for (const path of new Set(elsewhere)) {
      this.#refuseLinks(path);
      const content = this.#readFile(path);
      if (content !== undefined) disk.set(path, content);
      for (const partial of this.#partialsOf(path)) disk.set(partial, this.#text(partial));
    }
    return compare(files, disk, manifest);
  }

  /**
   * Makes the disk equal to these files. Everything is written beside its place first and then
   * renamed, so each file is whole, old or new; what an error finds before the first rename is undone.
   * The manifest comes last, after the removals: whatever ends this before, the manifest is not the
   * one of these files, and the next synth goes on. Returns what was changed, and the files that no
   * synth wrote, which stay.
   */
  write(files: readonly FileSpec[]): {
    readonly changed: readonly Difference[];
    readonly foreign: readonly Difference[];
  } {
    const all = this.compare(files);
    const foreign = all.filter(({ path, state }) => state === "foreign" && !this.#isLeftover(path));
    const differences = all.filter((difference) => !foreign.includes(difference));
    const changed = differences.filter(({ after }) => after !== undefined);
    const gone = differences.filter(({ after }) => after === undefined);
    if (differences.length === 0) return { changed: [], foreign };

    const toText = ({ path, after }: Difference) => ({ path, content: after ?? "" });
    const staged = this.#stage([
      ...this.#manifestBetween(changed),
      ...changed.filter(({ path }) => path !== manifestPath).map(toText),
      ...changed.filter(({ path }) => path === manifestPath).map(toText),
    ]);
    const manifest = staged.at(-1)?.path === manifestPath ? staged.slice(-1) : [];
    let current = outFolder;
    const place = ({ partial, path }: Staged) => {
      current = path;
      renameSync(partial, join(this.root, path));
    };
    try {
      staged.slice(0, staged.length - manifest.length).forEach(place);
      // What was left half-written may have had the name of one of ours, which is renamed by now.
      for (const { path } of gone) rmSync(join(this.root, path), { force: true });
      this.#removeEmptyFolders(outFolder);
      manifest.forEach(place);
    } catch (error) {
      for (const { partial } of staged) rmSync(partial, { force: true });
      throw diskError(
        current,
        "be put in place; other files were (mend it, then run 'npm run synth')",
        error,
      );
    }
    return { changed: differences.filter(({ path }) => !this.#isLeftover(path)), foreign };
  }

  /**
   * While paths come or go, the manifest that lies on the disk must know both the old and the new
   * ones, so that a synth that was killed leaves no file behind that the next one would not know.
   */
  #manifestBetween(changed: readonly Difference[]): readonly { path: string; content: string }[] {
    const manifest = changed.find(({ path }) => path === manifestPath);
    if (manifest?.after === undefined) return [];
    if (!changed.some(({ state, path }) => state === "missing" && path !== manifestPath)) return [];
    const after = parseManifest(manifest.after, this.#mayLieAt);
    const union = { ...after, files: { ...after.files, ...this.manifest()?.files } };
    return [{ path: manifestPath, content: `${JSON.stringify(union, undefined, 2)}\n` }];
  }

  #stage(files: readonly { path: string; content: string }[]): readonly Staged[] {
    const staged: Staged[] = [];
    const folders: string[] = [];
    const known = new Set<string>();
    let current = outFolder;
    try {
      for (const [index, { path, content }] of files.entries()) {
        current = path;
        this.#refuseLinks(path, known);
        const folder = dirname(path);
        if (!known.has(folder)) {
          const made = mkdirSync(join(this.root, folder), { recursive: true, mode: 0o755 });
          if (made !== undefined) {
            folders.push(made);
            this.#openToRead(folder, relative(this.root, made));
          }
        }
        if (this.#stat(path)?.isDirectory()) {
          throw userError(path, `cannot be written; nothing was changed: ${remedies.EISDIR}`);
        }
        const partial = `${join(this.root, path)}.${index}.${process.pid}.partial`;
        staged.push({ path, partial });
        // A process id comes again, in containers at once: what has ours is no living maker's.
        rmSync(partial, { force: true });
        writeFileSync(partial, content, { flag: "wx", mode: 0o644 });
        chmodSync(partial, 0o644);
      }
    } catch (error) {
      for (const { partial } of staged) rmSync(partial, { force: true });
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      throw diskError(current, "be written; nothing was changed", error);
    }
    return staged;
  }

  /** All files below out/ with their text. Refuses links, which could lead a write elsewhere. */
  readOut(): Map<string, string> {
    const found = new Map<string, string>();
    const walk = (folder: string): void => {
      this.#refuseLinks(folder);
      for (const entry of readdirSync(join(this.root, folder), { withFileTypes: true })) {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) walk(path);
        else if (entry.isFile()) found.set(path, this.#text(path));
        else throw userError(path, linkMessage(this.root, path));
      }
    };
    try {
      if (existsSync(join(this.root, outFolder))) walk(outFolder);
    } catch (error) {
      throw diskError(outFolder, "be read", error);
    }
    return found;
  }

  #readFile(path: string): string | undefined {
    try {
      return this.#text(path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw diskError(path, "be read", error);
    }
  }

  /** The text of a generated file; bytes that are no UTF-8 were not written by us, and stay different. */
  #text(path: string): string {
    this.#refuseEndless(path);
    const bytes = readFileSync(join(this.root, path));
    const text = bytes.toString("utf8");
    return text.includes("\ufffd") && !isUtf8(bytes) ? bytes.toString("latin1") : text;
  }

  /** A pipe or a device has no end to read to. */
  #refuseEndless(path: string): void {
    const stat = statSync(join(this.root, path));
    if (!stat.isFile() && !stat.isDirectory()) {
      throw userError(path, "is neither a file nor a folder: put a file in its place");
    }
  }

  /** Gives the folders from `made` down to `folder` the same mode under any umask. */
  #openToRead(folder: string, made: string): void {
    for (let path = folder; path.length >= made.length && path !== "."; path = dirname(path)) {
      chmodSync(join(this.root, path), 0o755);
    }
  }

  /** Files beside `path` that a killed synth left behind. */
  #partialsOf(path: string): readonly string[] {
    const folder = dirname(path);
    if (!existsSync(join(this.root, folder))) return [];
    const start = path.slice(folder.length + 1);
    return readdirSync(join(this.root, folder))
      .filter((name) => name.startsWith(`${start}.`) && partialName.test(name))
      .map((name) => `${folder}/${name}`);
  }

  /** Whether this is a file in the making whose maker is gone. */
  #isLeftover(path: string): boolean {
    const maker = partialName.exec(path)?.[1];
    if (maker === undefined) return false;
    // In a container every synth is process 1, and it is the only one.
    if (Number(maker) <= 1) return true;
    try {
      process.kill(Number(maker), 0);
      return Number(maker) === process.pid;
    } catch (error) {
      return systemErrorCode(error) === "ESRCH";
    }
  }

  /**
   * Refuses links on the way to a path, and what is neither a file nor a folder: a pipe never ends.
   * `known` are folders that were looked at already.
   */
  #refuseLinks(path: string, known = new Set<string>()): void {
    const parts = path.split("/");
    for (let length = 1; length <= parts.length; length += 1) {
      const part = parts.slice(0, length).join("/");
      if (known.has(part)) continue;
      const stat = this.#stat(part);
      if (stat?.isDirectory()) known.add(part);
      if (stat === undefined || stat.isDirectory()) continue;
      if (!stat.isFile()) throw userError(part, linkMessage(this.root, part));
      if (length < parts.length) throw userError(part, remedies.ENOTDIR ?? "");
    }
  }

  #stat(path: string): Stats | undefined {
    try {
      return lstatSync(join(this.root, path), { throwIfNoEntry: false });
    } catch (error) {
      throw diskError(path, "be read", error);
    }
  }

  /**
   * Removes the empty folders below a folder: they are of no host, since git keeps none. All of them,
   * because a synth that was killed may have come as far as the last file of one.
   */
  #removeEmptyFolders(folder: string): void {
    const absolute = join(this.root, folder);
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const below = `${folder}/${entry.name}`;
      this.#removeEmptyFolders(below);
      if (readdirSync(join(this.root, below)).length === 0) rmdirSync(join(this.root, below));
    }
  }
}

interface Staged {
  readonly path: string;
  readonly partial: string;
}

/** The templates below `folder`, by name. */
export function readTemplates(folder: string): TemplateSources {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".hbs")) continue;
    const path = join(entry.parentPath, entry.name);
    sources.set(path.slice(folder.length + 1, -".hbs".length), readFileSync(path, "utf8"));
  }
  return sources;
}

function linkMessage(root: string, path: string): string {
  let target = "";
  try {
    target = ` to ${readlinkSync(join(root, path))}`;
  } catch {
    return "is neither a file nor a folder: remove it, then run 'npm run synth'";
  }
  return `is a symbolic link${target}, and generated files are never written through one: remove it, then run 'npm run synth'`;
}
