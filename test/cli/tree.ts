import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** The text of every file below a folder, by path; links as `-> target`, empty folders as such. */
export function contentsOf(root: string, from = ""): ReadonlyMap<string, string> {
  return new Map(
    entriesOf(root, from).map(({ path, kind }) => {
      const absolute = join(root, path);
      if (kind === "folder") return [`${path}/`, ""];
      return [
        path,
        kind === "link" ? `-> ${readlinkSync(absolute)}` : readFileSync(absolute, "utf8"),
      ];
    }),
  );
}

/**
 * What would tell of any write below a folder: inode, size, mode and both times of each entry, its
 * folders included.
 */
export function traceOf(root: string): readonly string[] {
  return ["", ...entriesOf(root, "", true).map(({ path }) => path)].map((path) => {
    const { ino, size, mode, mtimeNs, ctimeNs } = lstatSync(join(root, path), { bigint: true });
    return [path, ino, size, mode, mtimeNs, ctimeNs].join(" ");
  });
}

interface Entry {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
}

/** Git's own folder is left out: its index is git's to refresh. */
function entriesOf(root: string, from: string, withFolders = false): readonly Entry[] {
  const entries = readdirSync(join(root, from), { withFileTypes: true }).sort((left, right) =>
    left.name < right.name ? -1 : 1,
  );
  return entries.flatMap((entry): readonly Entry[] => {
    const path = from === "" ? entry.name : `${from}/${entry.name}`;
    if (path === ".git") return [];
    if (!entry.isDirectory()) return [{ path, kind: entry.isSymbolicLink() ? "link" : "file" }];
    const below = entriesOf(root, path, withFolders);
    return below.length === 0 || withFolders ? [{ path, kind: "folder" }, ...below] : below;
  });
}
