import type { HostFile } from "../nixos/host-file.ts";

/** A host file, and the property that its path was given as. */
export interface GivenFile {
  readonly property: string;
  readonly file: HostFile;
}

/**
 * What is wrong with secrets that must be good for nothing else: each is in a file of its own, or whoever has the one
 * has what another is worth.
 *
 * @param all of the machine, these among them
 */
export function ownFileProblems(given: readonly GivenFile[], all: readonly HostFile[]): string[] {
  return given.flatMap(({ property, file }, index) => {
    const andLater = given.slice(index).map((each) => each.file);
    const other = all.find((each) => each.path === file.path && !andLater.includes(each));
    // What is no path may be the secret itself, and is not shown.
    if (other === undefined || !file.path.startsWith("/")) return [];
    return [
      `${property}: ${JSON.stringify(file.path)} is the file of ${other.purpose}: name one with a secret of its own, which is good for nothing else`,
    ];
  });
}
