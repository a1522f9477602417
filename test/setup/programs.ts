import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where Debian puts programs for administrators, which a user's PATH often leaves out. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The absolute path of the program that a shell would start, or undefined. */
export function findProgram(name: string): string | undefined {
  return findPrograms(name)[0];
}

/** Every program of that name, first the one that a shell would start. */
export function findPrograms(name: string): string[] {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...systemFolders];
  return [...new Set(folders)]
    .filter((folder) => isAbsolute(folder) && !folder.includes("/node_modules/"))
    .map((folder) => join(folder, name))
    .filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
