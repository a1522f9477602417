// `npm run setup`: installs and builds what the tests need, only what is missing. It may be run at
// any time and as often as one likes; the second time it has nothing to do.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildInCache, cacheRoot, isBuilt, removeUnfinished } from "./cache.ts";
import { cachedTools } from "./cached-tools.ts";
import { debianNeeds, install, missing } from "./debian.ts";
import { SetupError } from "./error.ts";
import { withLock } from "./lock.ts";

const say = (line: string): void => console.log(`setup: ${line}`);

function isEverythingThere(): boolean {
  return missing(debianNeeds).length === 0 && cachedTools.every((tool) => isBuilt(tool));
}

async function setUp(): Promise<void> {
  await removeUnfinished();
  const tools = cachedTools.filter((tool) => !isBuilt(tool));
  const packages = missing([...debianNeeds, ...tools.flatMap((tool) => tool.needs)]);
  if (packages.length > 0) await install(packages, say);
  for (const tool of tools) {
    say(`builds ${tool.name} (${tool.duration}): ${tool.why}`);
    await buildInCache(tool);
  }
}

try {
  const started = performance.now();
  if (!isEverythingThere()) {
    mkdirSync(cacheRoot(), { recursive: true });
    await withLock(join(cacheRoot(), ".lock"), setUp);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`everything is there: ${cachedTools.map((tool) => tool.name).join(", ")} (${seconds} s)`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  if (error.details !== "") console.error(error.details);
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
