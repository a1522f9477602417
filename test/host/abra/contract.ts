import { calls } from "./contract/calls.ts";
import { checkout } from "./contract/checkout.ts";
import type { ContractEntry } from "./contract/entry.ts";
import { envFile } from "./contract/env-file.ts";
import { stack } from "./contract/stack.ts";
import { undeploy } from "./contract/undeploy.ts";

/**
 * All that the units count on when they call abra, and all that the stand-in does: one list. A wrong
 * guess shows up as a line that differs when the probe runs against a real abra, and is mended here
 * and in the stand-in.
 */
export const contract: readonly ContractEntry[] = [
  ...calls,
  ...envFile,
  ...checkout,
  ...stack,
  ...undeploy,
];
