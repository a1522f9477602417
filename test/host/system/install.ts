import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { putAccounts } from "./accounts.ts";
import { putHosts } from "./hosts-file.ts";
import type { InstalledSystem, System, SystemFile } from "./system.ts";

/**
 * Makes the files of a system those below `root`. What the system before had and this one has not is
 * removed, but for the store, which NixOS keeps too.
 */
export function installSystem(root: string, system: System, before?: InstalledSystem): void {
  putAccounts(root, system.accounts);
  putHosts(root, system.hosts);
  putFiles(root, system.files);
  for (const path of before?.paths ?? []) {
    if (system.files.has(path) || path.startsWith("/nix/store/")) continue;
    rmSync(join(root, path), { force: true });
    removeIfEmpty(dirname(join(root, path)));
  }
}

/** Puts what a system brings into the store, which changes nothing of what runs. */
export function installStore(root: string, { files }: System): void {
  putFiles(
    root,
    [...files].filter(([path]) => path.startsWith("/nix/store/")),
  );
}

function putFiles(root: string, files: Iterable<readonly [string, SystemFile]>): void {
  for (const [path, file] of files) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    // An absolute link inside would lead to this machine's own files from here.
    if (!realpathSync(dirname(target)).startsWith(`${root}/`)) {
      throw new Error(`${path}: its folder is a link that leads out of the host`);
    }
    // By rename, as NixOS does it: what runs sees the old file or the new one.
    const fresh = `${target}.cc-ci-new`;
    rmSync(fresh, { force: true });
    if ("link" in file) symlinkSync(file.link, fresh);
    else {
      writeFileSync(fresh, file.content);
      chmodSync(fresh, file.mode);
    }
    renameSync(fresh, target);
  }
}

function removeIfEmpty(folder: string): void {
  if (!existsSync(folder) || !lstatSync(folder).isDirectory()) return;
  try {
    rmdirSync(folder);
  } catch {
    // Others have files in it.
  }
}
