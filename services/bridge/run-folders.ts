import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { isNotThere } from "../lib/not-there.ts";
import { type RunResults, runRequestSchema, runResultsSchema } from "../lib/run.ts";

/** Larger files are no results: 1 MiB. */
const largestResults = 1024 * 1024;

/** How much of the end of a log is looked at, in bytes. */
const tailBytes = 64 * 1024;

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
    const text = await orUndefined(async () => {
      const { size } = await stat(path);
      return size > largestResults ? undefined : await readFile(path, "utf8");
    });
    const { data } = runResultsSchema.safeParse(jsonOf(text ?? ""));
    return data?.request.id === id ? data : undefined;
  }

  /** The last lines that a run printed. */
  async lastLines(id: string, most: number): Promise<readonly string[]> {
    const text = await orUndefined(() => endOf(join(this.#folderOf(id), "log.jsonl")));
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

async function endOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, tailBytes);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8");
  } finally {
    await file.close();
  }
}

/** A folder may go at any time: whoever sweeps it asks nobody. */
async function orUndefined<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
