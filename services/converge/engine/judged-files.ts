import type { Files } from "../adapters/files.ts";

/**
 * What host files held when they were judged good, in this pass. Whoever uses a host file takes its
 * content from here: read again, it could be another file by now, half of a pair or an expired one.
 */
export class JudgedFiles {
  readonly #contents = new Map<string, Buffer>();

  /** A later pass judges anew. */
  note(path: string, content: Buffer): void {
    this.#contents.set(path, content);
  }

  /** For a file that has to be judged anew. */
  forget(path: string): void {
    this.#contents.delete(path);
  }

  /** The content as it was judged, or as it is where nobody judges it; undefined when it is absent. */
  async read(path: string, files: Files): Promise<Buffer | undefined> {
    return this.#contents.get(path) ?? (await files.read(path));
  }
}
