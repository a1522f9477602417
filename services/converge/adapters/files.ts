import { readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDurably } from "../../lib/durable-file.ts";

/** What can be seen of a file without reading it. */
export interface FileLook {
  /** Without links. */
  readonly path: string;
  /** Neither a folder nor a device, a pipe or a socket. */
  readonly isFile: boolean;
  readonly bytes: number;
  /** Who may do what, as in 0o600. */
  readonly mode: number;
}

/** Files of this host. It decides nothing. */
export class Files {
  /**
   * Undefined when there is no such file, or a part of the path is none.
   *
   * @throws {Error} with its path, for a folder, a pipe and the like, or more than is ever read
   */
  async read(path: string): Promise<Buffer | undefined> {
    return await orUndefined(async () => {
      const found = await stat(path);
      // To open a pipe would wait for who writes into it.
      if (!found.isFile()) throw unreadable(path, "it is no regular file");
      if (found.size > largest) throw unreadable(path, `it has ${found.size} bytes`);
      return await readFile(path);
    });
  }

  async isFolder(path: string): Promise<boolean> {
    return (await orUndefined(() => stat(path)))?.isDirectory() ?? false;
  }

  async exists(path: string): Promise<boolean> {
    return (await orUndefined(() => stat(path))) !== undefined;
  }

  /** What lies at the end of all links; undefined when nothing does. */
  async look(path: string): Promise<FileLook | undefined> {
    const found = await orUndefined(() => stat(path));
    if (found === undefined) return undefined;
    const target = await orUndefined(() => realpath(path));
    return {
      path: target ?? path,
      isFile: found.isFile(),
      bytes: found.size,
      mode: found.mode & 0o777,
    };
  }

  /**
   * When it was last written or put there; undefined when it is not there. One that was moved or copied from
   * elsewhere may bring along when it was written there.
   */
  async modified(path: string): Promise<Date | undefined> {
    const found = await orUndefined(() => stat(path));
    if (found === undefined) return undefined;
    return found.ctime > found.mtime ? found.ctime : found.mtime;
  }

  /** Names in a folder, sorted; none when it is not there. */
  async list(folder: string): Promise<readonly string[]> {
    return ((await orUndefined(() => readdir(folder))) ?? []).sort();
  }

  /** As `writeDurably`, which see. */
  async write(path: string, content: string | Buffer): Promise<void> {
    await writeDurably(path, content);
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  /** Whether the path lies in a git work tree: the nearest `.git` above it, if any. */
  async gitFolderAbove(path: string): Promise<string | undefined> {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const candidate = join(folder, ".git");
      if (await this.exists(candidate)) return candidate;
      if (folder === dirname(folder)) return undefined;
    }
  }
}

/** Whatever converge reads is far smaller: 64 MiB. */
const largest = 64 * 1024 * 1024;

/** As what the system complains of. */
function unreadable(path: string, problem: string): Error {
  return Object.assign(new Error(problem), { code: "EINVAL", syscall: "read", path });
}

/** Codes of errors that say that there is nothing at that path. */
const nothingThere = new Set(["ENOENT", "ENOTDIR"]);

async function orUndefined<Value>(use: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof Error && "code" in error && nothingThere.has(String(error.code))) {
      return undefined;
    }
    throw error;
  }
}
