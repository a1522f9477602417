import type { BridgeSettings } from "../../lib/bridge-settings.ts";
import type { DroneClient } from "../../lib/drone/client.ts";
import type { ForgeClient } from "../../lib/forge/client.ts";
import type { Records } from "../records/index.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Gate } from "./gate.ts";
import type { RunFolders } from "./run-folders.ts";

/** Ourselves on the forge. */
export interface Self {
  readonly id: number;
  readonly login: string;
}

/** What others than these classes can be too. */
type Shape<Class> = Pick<Class, keyof Class>;

/** All that a step of the pipeline may use. */
export interface Bridge {
  readonly settings: BridgeSettings;
  readonly records: Records;
  readonly forge: Shape<ForgeClient>;
  readonly drone: Shape<DroneClient>;
  readonly runs: Shape<RunFolders>;
  readonly gate: Shape<Gate>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "judged" | "ended">;
  readonly self: Self;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Between 0 and 1: lest all try again at the same time. */
  readonly random: () => number;
  /** Why no test is taken; undefined where some are. */
  readonly stopped: () => Promise<string | undefined>;
}
