import { readdir } from "node:fs/promises";
import { isNotThere } from "./not-there.ts";

/** What lies in a folder, by name, in no order; nothing where there is no folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotThere(error)) return [];
    throw error;
  }
}
