import { chmod, type FileHandle, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Puts a file in place at once and for good, readable by its owner alone: a reader sees the old one or
 * the new one, also after a power cut. Makes its folder. Two at once must not write the same path: each
 * belongs to one unit.
 *
 * @throws {Error} of the system, with the path in it
 */
export async function writeDurably(path: string, content: string | Buffer): Promise<void> {
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
  await syncFolder(dirname(path));
}

/** Makes what was made, renamed or removed in a folder last through a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  await synced(folder, "r");
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

/** What an open file complains of does not say which one it is. */
function named(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  return "path" in error && error.path !== undefined ? error : Object.assign(error, { path });
}
