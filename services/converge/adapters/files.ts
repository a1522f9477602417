import {
  chmod,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";

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

  /** Names in a folder, sorted; none when it is not there. */
  async list(folder: string): Promise<readonly string[]> {
    return ((await orUndefined(() => readdir(folder))) ?? []).sort();
  }

  /**
   * Puts a file in place at once and for good, readable by root alone: a reader sees the old one or
   * the new one, also after a power cut. Makes its folder. Two at once must not write the same path:
   * each belongs to one unit.
   */
  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Always of the same name: what a run left there that was killed goes with the next write.
    const scratch = `${path}.new`;
    await rm(scratch, { force: true });
    try {
      await synced(scratch, "wx", async (file) => {
        await file.writeFile(content);
      });
      await chmod(scratch, 0o600);
      await rename(scratch, path);
    } catch (error) {
      await unlink(scratch).catch(() => undefined);
      throw named(error, path);
    }
    await synced(dirname(path), "r");
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

async function synced(
  path: string,
  flags: "wx" | "r",
  use: (file: FileHandle) => Promise<void> = async () => undefined,
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await use(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Whatever converge reads is far smaller: 64 MiB. */
const largest = 64 * 1024 * 1024;

/** As what the system complains of. */
function unreadable(path: string, problem: string): Error {
  return Object.assign(new Error(problem), { code: "EINVAL", syscall: "read", path });
}

/** What an open file complains of does not say which one it is. */
function named(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  return "path" in error && error.path !== undefined ? error : Object.assign(error, { path });
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
