import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { Files } from "./files.ts";
import { type StackModel, stackModelSchema } from "./stack-model.ts";

/** Below the CacheDirectory= of every piece's unit. Whatever is in it may be removed at any time. */
const usualFolder = "/var/cache/cc-ci/converge/recipes";

const keptSchema = z.object({
  /** Of all that the model was made from. */
  madeFrom: z.string(),
  model: stackModelSchema,
});

/**
 * What recipes came to when they were last rendered, by stack: to render one starts three programs,
 * and mostly nothing has changed. One that is not here, or not whole, is rendered again.
 */
export class KeptModels {
  readonly #folder: string;
  readonly #mayWrite: boolean;
  readonly #files = new Files();

  /** @param mayWrite for a run in its unit alone, of which there is one at a time for each stack */
  constructor({ folder = usualFolder, mayWrite = false } = {}) {
    this.#folder = folder;
    this.#mayWrite = mayWrite;
  }

  async find(stack: string, madeFrom: unknown): Promise<StackModel | undefined> {
    try {
      const text = await this.#files.read(this.#pathOf(stack));
      const kept = keptSchema.parse(JSON.parse(text?.toString("utf8") ?? ""));
      return kept.madeFrom === digestOf(madeFrom) ? kept.model : undefined;
    } catch {
      return undefined;
    }
  }

  async keep(stack: string, madeFrom: unknown, model: StackModel): Promise<void> {
    if (!this.#mayWrite) return;
    const text = JSON.stringify({ madeFrom: digestOf(madeFrom), model });
    try {
      await this.#files.write(this.#pathOf(stack), text);
    } catch {
      // Without room for it, it is rendered each time.
    }
  }

  #pathOf(stack: string): string {
    return join(this.#folder, `${stack}.json`);
  }
}

function digestOf(madeFrom: unknown): string {
  return createHash("sha256").update(JSON.stringify(madeFrom)).digest("hex");
}
