/** A file as it shall be: the seam between the tree of constructs and the disk. */
export interface FileSpec {
  /** Path below the root of the checkout, with `/`, never absolute and never with `..`. */
  readonly path: string;
  /** Path of the construct that made it. */
  readonly source: string;
  /** The whole text, header included, ending in a newline. */
  readonly content: string;
  /** Digest of the text without its header. */
  readonly digest: string;
}

/** Whether `path` names a place below the folder it is relative to, in one spelling only. */
export function isRelativePath(path: string): boolean {
  return (
    path !== "" &&
    !/[\\\0\r\n]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}
