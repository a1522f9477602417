import * as z from "zod";
import { endedHow, lastWords, type Run, runProgram } from "./program.ts";

const entrySchema = z.object({
  __CURSOR: z.string(),
  _SYSTEMD_UNIT: z.string(),
  /** The bytes of one that is no text, null of one that is too long to be shown. */
  MESSAGE: z
    .union([z.string(), z.array(z.int())])
    .nullish()
    .transform((value) =>
      typeof value === "string" ? value : Buffer.from(value ?? []).toString(),
    ),
});

/** The journal could not be read this time. */
export class JournalFailure extends Error {}

export interface JournalEntry {
  readonly unit: string;
  readonly message: string;
}

/** What the processes of some services log, from a moment on; systemd's own words are left out. */
export class Journal {
  readonly #units: readonly string[];
  readonly #run: Run;
  #from: string;

  constructor(units: readonly string[], since: Date, run: Run = runProgram) {
    this.#units = units;
    this.#run = run;
    this.#from = `--since=@${(since.getTime() / 1000).toFixed(3)}`;
  }

  /**
   * What came since the last time that this had an answer.
   *
   * @throws {JournalFailure} then nothing is lost: the next answer has it too
   */
  async next(): Promise<readonly JournalEntry[]> {
    const fields = Object.keys(entrySchema.shape).join(",");
    const stdout = await this.#journalctl(
      ...["--no-pager", "--quiet", "--output=json", `--output-fields=${fields}`, this.#from],
      ...this.#units.map((unit) => `_SYSTEMD_UNIT=${unit}`),
    );
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const {
          __CURSOR,
          _SYSTEMD_UNIT: unit,
          MESSAGE: message,
        } = entrySchema.parse(JSON.parse(line));
        this.#from = `--after-cursor=${__CURSOR}`;
        return { unit, message };
      });
  }

  /**
   * Ends once everything is written down that was said until now.
   *
   * @throws {JournalFailure}
   */
  async sync(): Promise<void> {
    await this.#journalctl("--sync");
  }

  async #journalctl(...args: readonly string[]): Promise<string> {
    const env = { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" };
    const ending = await this.#run({ program: "journalctl", args, env, seconds });
    if (ending.status === 0) return ending.stdout;
    const words = lastWords(ending) || "it said nothing";
    throw new JournalFailure(`journalctl ${endedHow(ending, seconds)}: ${words}`);
  }
}

/** More than it takes, but on a disk that is very busy. */
const seconds = 30;
