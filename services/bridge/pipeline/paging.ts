import type { Page } from "../../lib/forge/client.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";

/** Of one look; a list that still goes on then has no end. */
const mostPages = 2000;

interface List<Item> {
  readonly read: (page: Page) => Promise<readonly Item[]>;
  /** What the forge gives for a page at most. */
  readonly limit: number;
  readonly take: (items: readonly Item[]) => void;
}

/**
 * Goes over a list of the forge's page by page: it may have any number of entries, each of any size. Of too much at
 * once it asks for one after another; one that alone is too much is passed over.
 *
 * @returns how many were passed over
 * @throws {ForgeRefusal} when the forge does not answer, or the list has no end
 */
export async function overAll<Item>({ read, limit, take }: List<Item>): Promise<number> {
  let singles = 0;
  let skipped = 0;
  let offset = 0;
  for (let asked = 0; asked < mostPages; asked += 1) {
    const size = singles > 0 ? 1 : limit;
    const items = await orTooMuch(() => read({ page: offset / size + 1, limit: size }));
    take(items ?? []);
    if (items !== undefined && items.length < size) return skipped;
    if (items === undefined && size > 1) {
      singles = size;
      continue;
    }
    if (items === undefined) skipped += 1;
    offset += size;
    if (size === 1) singles -= 1;
  }
  throw new ForgeRefusal("broken", `a list of more than ${mostPages} pages`);
}

/** Undefined when it is more than can be taken. */
async function orTooMuch<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ForgeRefusal && error.trouble === "too-long") return undefined;
    throw error;
  }
}
