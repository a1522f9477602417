import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Marks } from "./marks.ts";

const sampleSchema = z.strictObject({
  /** How often it looked. */
  rounds: z.int(),
  /** How many processes of hosts were looked into. */
  processes: z.int(),
  /** Where a mark was found: in which part of a process, of which secret, of which program. */
  found: z.array(
    z.strictObject({
      where: z.enum(["argv", "environment"]),
      secret: z.string(),
      program: z.string(),
    }),
  ),
});

export type Sample = Readonly<z.infer<typeof sampleSchema>>;

/**
 * Looks all the time into the arguments and the environment of every process of every host on this
 * machine, in a process of its own. It looks every few milliseconds at young ones, for many live no
 * longer; a still shorter life can be missed.
 */
export class ProcessSampler implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #output: Promise<string>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.#output = text(child.stdout);
  }

  static async start(): Promise<ProcessSampler> {
    const program = fileURLToPath(import.meta.resolve("./process-sampler-main.ts"));
    const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child, "spawn");
    return new ProcessSampler(child);
  }

  /** Ends it: where it saw what. Secrets that nobody knew when it began count as well. */
  async stop(marks: Marks): Promise<Sample> {
    // Not as arguments: there it would find them.
    this.#child.stdin.end(JSON.stringify(marks));
    return sampleSchema.parse(JSON.parse(await this.#output));
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
