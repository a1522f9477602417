import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startOf } from "./host/machine/processes.ts";
import { cacheRoot } from "./setup/cache.ts";

/**
 * A new folder for what a test run leaves behind when it is killed. Its name says whose it is; what
 * processes left that are gone is removed first.
 *
 * @returns its absolute path; whoever asked removes it
 */
export function makeScratch(root = join(cacheRoot(), "scratch")): string {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  removeDead(root);
  return mkdtempSync(join(root, `${process.pid}-${startOf(process.pid)}-`));
}

function removeDead(root: string): void {
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const [, pid = "", started] = /^(\d+)-(\d+)-/.exec(name) ?? [];
    if (startOf(Number(pid)) === started) continue;
    rmSync(join(root, name), { recursive: true, force: true });
  }
}
