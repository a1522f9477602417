import type { Resource } from "../desired-state.ts";
import type { Call, Phase } from "./call.ts";
import type { JudgedFiles } from "./judged-files.ts";
import type { Report } from "./report.ts";
import type { Sights } from "./sights.ts";
import type { Slots } from "./slots.ts";
import type { World } from "./world.ts";

/** All that a resource may know beside itself. */
export interface Context {
  readonly host: string;
  readonly piece: string;
  /** Every resource of the piece, in order. */
  readonly resources: readonly Resource[];
  readonly slots: Slots;
  readonly judged: JudgedFiles;
  readonly sights: Sights;
  readonly world: World;
  readonly report: Report;
  /** False for a plan, which waits for nothing to come about and does not reach out of this host. */
  readonly mayWait: boolean;
  /**
   * In a plan: what the pieces before this one would have done by then, as `<verb> <target>`. Empty
   * for apply, which finds it done.
   */
  readonly foreseen: ReadonlySet<string>;
}

/**
 * What a kind of resource does. All but the calls only read; all waits are bounded by the resource's
 * own seconds. Whatever ends the run is a `Stop`.
 */
export interface Steps {
  /** In which it has calls: nobody asks it for a plan in another one. @default all */
  readonly phases?: readonly Phase[];
  /** What a person must have seen to first. For all resources before any of them is touched. */
  require?(): Promise<void>;
  /**
   * Looks at what is, and says which calls would make it what it should be: all of them, of every
   * phase, as far as can be known now. Asked before each phase, unless nothing was performed since;
   * of its answer only the calls of that phase are performed. Fills the slots that this resource fills.
   */
  plan(): Promise<readonly Call[]>;
  /** Waits until what was applied works. */
  verify?(): Promise<void>;
}
