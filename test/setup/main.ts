// `npm run setup`: installs and builds what the tests need, only what is missing. It may be run at
// any time and as often as one likes; the second time it has nothing to do.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildInCache, cacheRoot, isBuilt, removeUnfinished } from "./cache.ts";
import { cachedTools } from "./cached-tools.ts";
import { debianNeeds, install, missing } from "./debian.ts";
import { SetupError } from "./error.ts";
import { hostNeeds, hostParts, whyNoHosts } from "./host.ts";
import { withLock } from "./lock.ts";

const say = (line: string): void => console.log(`setup: ${line}`);

/** Hosts are left out where there can be none; in CI that is an error. */
const withoutHosts = process.env.CI === "true" ? undefined : whyNoHosts();
const wanted = withoutHosts === undefined ? [...cachedTools, ...hostParts] : cachedTools;
const needs = withoutHosts === undefined ? [...debianNeeds, ...hostNeeds] : debianNeeds;

function isEverythingThere(): boolean {
  return missing(needs).length === 0 && wanted.every((tool) => isBuilt(tool));
}

async function setUp(): Promise<void> {
  await removeUnfinished();
  const tools = wanted.filter((tool) => !isBuilt(tool));
  const packages = missing([...needs, ...tools.flatMap((tool) => tool.needs)]);
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
  say(`everything is there: ${wanted.map((tool) => tool.name).join(", ")} (${seconds} s)`);
  if (withoutHosts !== undefined) say(`no hosts for tests to boot here: that ${withoutHosts}`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  if (error.details !== "") console.error(error.details);
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
