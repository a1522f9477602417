import { benchHelp, benchManyApps, benchSynth } from "./benchmarks.ts";
import { benchBridge } from "./bridge.ts";
import { benchHosts } from "./hosts.ts";
import { printTable, type Row } from "./table.ts";

/**
 * `npm run bench`: how fast the command line, the bridge and a host are, as ratios to something on the same machine
 * in the same minute where that makes sense, else beside a floor. Sides in turn, medians. Exits with 1 when a
 * limit is missed.
 */
const rows: Row[] = [];
for (const measure of [benchSynth, benchManyApps, benchHelp, benchBridge, benchHosts])
  rows.push(...(await measure()));

process.stdout.write(printTable(rows));
const missed = rows.filter(({ figure, limit }) => limit !== undefined && figure > limit);
process.stdout.write(
  missed.length === 0
    ? "every limit is kept\n"
    : `missed: ${missed.map(({ name }) => name).join("; ")}\n`,
);
process.exitCode = missed.length === 0 ? 0 : 1;
