import { accounts } from "./contract/accounts.ts";
import { builds } from "./contract/builds.ts";
import type { ContractEntry } from "./contract/entry.ts";
import { processes } from "./contract/process.ts";
import { repositories } from "./contract/repositories.ts";
import { runners } from "./contract/runners.ts";
import { starts } from "./contract/starts.ts";
import { steps } from "./contract/steps.ts";

/**
 * All that our code counts on when it speaks to Drone or is started by its runner, and all that the
 * stand-ins do: one list, tried on the stand-ins, and on the real programs where they are.
 */
export const contract: readonly ContractEntry[] = [
  ...steps,
  ...runners,
  ...builds,
  ...processes,
  ...accounts,
  ...repositories,
  ...starts,
];
