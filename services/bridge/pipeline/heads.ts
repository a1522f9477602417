import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import type { Bridge } from "./bridge.ts";

/** Sees which commit a pull request is at by now, where a test of it is told of. */
export async function noteHead(
  { forge, records, now }: Bridge,
  repository: string,
  pull: number,
): Promise<void> {
  if (records.answers.told(repository, pull) === undefined) return;
  const head = await headOf(forge, repository, pull);
  if (head !== undefined) records.answers.noteHead(repository, pull, head, now());
}

/** Undefined for a pull request that is gone, with its repository say. */
async function headOf(
  forge: Bridge["forge"],
  repository: string,
  pull: number,
): Promise<string | undefined> {
  try {
    return (await forge.pull(repository, pull)).head;
  } catch (error) {
    if (error instanceof ForgeRefusal && error.trouble === "not-found") return undefined;
    throw error;
  }
}
