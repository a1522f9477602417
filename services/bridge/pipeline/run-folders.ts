import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type RunResults, runRequestSchema, runResultsSchema } from "../../lib/run.ts";

/** Larger files are no results: 1 MiB. */
const largestResults = 1024 * 1024;

/** How much of the end of a log is looked at, in bytes: an entry has up to 64 KiB of text, each byte six in JSON. */
const tailBytes = 512 * 1024;

const entrySchema = z.object({ from: z.string(), text: z.string() });

/** What runs have left on this host. */
export class RunFolders {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What a run came to; undefined as long as it does not say, or where it says it of another one. */
  async results(id: string): Promise<RunResults | undefined> {
    const path = join(this.#folderOf(id), "results.json");
    const text = await fromFile(path, async (file, size) =>
      size > largestResults ? undefined : await file.readFile("utf8"),
    );
    const { data } = runResultsSchema.safeParse(jsonOf(text ?? ""));
    return data?.request.id === id ? data : undefined;
  }

  /** The last lines that a run printed. */
  async lastLines(id: string, most: number): Promise<readonly string[]> {
    const text = await fromFile(join(this.#folderOf(id), "log.jsonl"), endOf);
    const printed = (text ?? "")
      .split("\n")
      .map((line) => entrySchema.safeParse(jsonOf(line)).data)
      .filter((entry) => entry !== undefined && entry.from !== "host")
      .map((entry) => entry?.text ?? "")
      .join("");
    return printed
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-most);
  }

  #folderOf(id: string): string {
    return join(this.#folder, runRequestSchema.shape.id.parse(id));
  }
}

async function endOf(file: FileHandle, size: number): Promise<string> {
  const length = Math.min(size, tailBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString("utf8", 0, bytesRead);
}

/** Not of a link, which may lead anywhere, nor of a pipe, on which we would wait for ever. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * What is read of a file; undefined where there is none that can be read, whatever stands in its place: what a test
 * left behind ends nobody but itself. It may go at any time: whoever sweeps it asks nobody.
 *
 * @param read gets its size, in bytes
 */
async function fromFile<Value>(
  path: string,
  read: (file: FileHandle, size: number) => Promise<Value>,
): Promise<Value | undefined> {
  try {
    await using file = await open(path, flags);
    const found = await file.stat();
    return found.isFile() ? await read(file, found.size) : undefined;
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
