import { appendFile } from "node:fs/promises";
import { join } from "node:path";

/** What a run may put into its log, in bytes: 32 MiB. A run that prints more has something else to hide. */
const logLimit = 32 * 1024 * 1024;

/** The log of a run, `log.jsonl`: when, from where, what. */
export class RunLog {
  readonly #path: string;
  readonly #limit: number;
  #bytes = 0;
  #isClosed = false;

  constructor(folder: string, limit = logLimit) {
    this.#path = join(folder, "log.jsonl");
    this.#limit = limit;
  }

  /** What cannot be written is lost, and the run goes on: its last line says so where there is room. */
  async add(from: "stdout" | "stderr", text: string): Promise<void> {
    if (this.#isClosed) return;
    const line = entry(from, text);
    this.#bytes += Buffer.byteLength(line);
    this.#isClosed = this.#bytes > this.#limit;
    const end = `no more than ${this.#limit} bytes are kept of a run's log`;
    try {
      await appendFile(this.#path, this.#isClosed ? entry("host", end) : line, { mode: 0o600 });
    } catch {
      this.#isClosed = true;
    }
  }
}

/** Says something of a run in its log, for whoever reads it later. */
export async function noteInLog(folder: string, text: string): Promise<void> {
  await appendFile(join(folder, "log.jsonl"), entry("host", text), { mode: 0o600 });
}

function entry(from: "stdout" | "stderr" | "host", text: string): string {
  return `${JSON.stringify({ at: new Date().toISOString(), from, text })}\n`;
}
