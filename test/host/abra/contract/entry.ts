import type { Settings } from "../settings.ts";
import type { ProbeApp } from "./probe-app.ts";

/** One thing that abra does, as the units of this project count on it. */
export interface ContractEntry {
  /** Unique; what `--only` takes. */
  readonly id: string;
  /** Whether it stands on a document or program, or on nothing better than memory. */
  readonly mark: "known" | "guessed";
  /** Read in documents, read in a program that uses abra's library, seen with Docker, recalled, or open. */
  readonly source: "read" | "library" | "ran" | "recalled" | "open";
  /** The behaviour as one sentence. */
  readonly says: string;
  /** The setting of the stand-in that turns the answer round. @default none: it has one answer */
  readonly setting?: keyof Settings;
  /** What comes of the units when abra answers otherwise, where no host of `otherwise.ts` shows it. */
  readonly otherwise?: string;
  /** Tries it with an app of its own. @throws {Differs} when abra does otherwise */
  readonly probe: (app: ProbeApp) => Promise<void>;
}

/** What was seen instead. */
export class Differs extends Error {
  override readonly name = "Differs";
}

/** @throws {Differs} when the two are not equal as JSON */
export function mustEqual(what: string, seen: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (one !== other) throw new Differs(`${what} is ${one}, not ${other}`);
}

/** @throws {Differs} when it is not so */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Differs(otherwise);
}
