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
import type { InstalledSystem, System } from "./system.ts";

/**
 * Makes the files of a system those below `root`. What the system before had and this one has not is
 * removed, but for the store, which NixOS keeps too.
 */
export function installSystem(root: string, system: System, before?: InstalledSystem): void {
  for (const [path, file] of system.files) {
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
  for (const path of before?.paths ?? []) {
    if (system.files.has(path) || path.startsWith("/nix/store/")) continue;
    rmSync(join(root, path), { force: true });
    removeIfEmpty(dirname(join(root, path)));
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
