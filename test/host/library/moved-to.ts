import type { Host } from "../host.ts";
import { buildSystem, type Configuration } from "../system/system.ts";
import { type Runs, runAsPlanned } from "./as-planned.ts";
import { quiet } from "./at-rest.ts";

/** Puts another configuration in place, asks for a plan, and lets it run, all or one piece; see `runAsPlanned`. */
export async function movedTo(
  host: Host,
  configuration: Configuration,
  unforeseen: readonly string[] = [],
  piece?: string,
): Promise<Runs> {
  await host.install(await buildSystem(configuration));
  await quiet(host);
  return await runAsPlanned(host, unforeseen, piece);
}
