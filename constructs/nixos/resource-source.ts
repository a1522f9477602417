import type { IConstruct } from "constructs";
import type { Resource } from "../../services/converge/desired-state.ts";

/**
 * A construct without a unit of its own: the unit of whoever uses it carries its resources, waits
 * for what it waits for, and starts again when a file changes that it watches.
 */
export interface ResourceSource extends IConstruct {
  readonly resources: readonly Resource[];
  /** Full names of units that must have run first, such as one that decrypts a file. */
  readonly waitsFor: readonly string[];
  /** Absolute paths whose change starts the unit again. */
  readonly watches: readonly string[];
}
