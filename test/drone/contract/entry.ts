import type { Scene } from "../scene.ts";

/** One thing that Drone's server or its exec runner does, and that our code counts on or must survive. */
export interface ContractEntry {
  /** Unique. */
  readonly id: string;
  /** The part of the project's notes on Drone that has it. */
  readonly facts: string;
  /** The behaviour as one sentence. */
  readonly says: string;
  /** Whether it waits for half a minute or more: those begin first. @default false */
  readonly isSlow?: boolean;
  /** Tries it. @throws {Error} when it is otherwise */
  readonly probe: (scene: Scene) => Promise<void>;
}
