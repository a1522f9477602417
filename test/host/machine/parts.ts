import { join } from "node:path";
import { cachedFolder } from "../../setup/cache.ts";
import type { CachedTool } from "../../setup/cached-tools.ts";
import { hostRoot } from "./root.ts";

/** Where a cached thing has what is used of it. */
export function pathOf(tool: CachedTool): string {
  return join(cachedFolder(tool), tool.path);
}

export function hostRootFolder(): string {
  return pathOf(hostRoot);
}
