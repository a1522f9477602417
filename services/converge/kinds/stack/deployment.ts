import type { StackModel } from "../../adapters/stack-model.ts";
import type { Call } from "../../engine/call.ts";
import type { Manner } from "./plan.ts";

/** What should run. */
export interface Wanted {
  readonly model: StackModel;
  /** Of all that it is made from. */
  readonly digest: string;
}

/** What a stack is made from, and who deploys it: abra from a recipe, or Docker from a file of ours. */
export interface Deployment {
  readonly manner: Manner;
  /** Where its files come from, as a line names it. */
  readonly source: string;
  /** How long a deploy may take, and a task must have run to count as stable. */
  readonly deploySeconds: number;
  readonly stableSeconds: number;
  /** Undefined as long as not all is known that it is made from. */
  wanted(): Promise<Wanted | undefined>;
  /** @throws {Stop} always: what is not known, and what to do */
  refuseUnknown(): Promise<never>;
  /** Has an image here that this machine does not have. */
  getImage(image: string): Promise<void>;
  /** What comes right before a deploy, where there is one. */
  before(): Promise<readonly Call[]>;
  deploy(): Promise<void>;
  /** What is left of earlier states, and goes once this one works. */
  superseded(wanted: Wanted | undefined): Promise<readonly Call[]>;
}
