import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DesiredState,
  desiredStateSchema,
  type PieceList,
  pieceListSchema,
  type ResourceOf,
} from "../../services/converge/desired-state.ts";
import type { Evaluation } from "./evaluate.ts";
import { unitKeys } from "./unit-keys.ts";

/** A host as it reaches systemd and the converge program. */
export interface World {
  readonly units: Evaluation["units"];
  readonly list: PieceList;
  /** The desired state that each piece's unit is started with, by piece. */
  readonly states: Readonly<Record<string, unknown>>;
  /** The `.env` or compose file that each piece's unit is started with, by piece; most pieces have none. */
  readonly texts: Readonly<Record<string, string>>;
}

/** What an evaluation comes to, whose files were copied to `store`. */
export function worldOf({ units, etc }: Evaluation, store: string): World {
  const list = pieceListSchema.parse(JSON.parse(etc["cc-ci/pieces.json"]?.text ?? ""));
  const read = (path: unknown): string => readFileSync(join(store, String(path)), "utf8");
  return {
    units,
    list,
    states: Object.fromEntries(
      list.pieces.map(({ name, file }): [string, unknown] => [name, JSON.parse(read(file))]),
    ),
    texts: Object.fromEntries(
      list.pieces.flatMap(({ name, slots }) => {
        const file = slots["env-file"] ?? slots["compose-file"];
        return file === undefined ? [] : [[name, read(file)]];
      }),
    ),
  };
}

/** A unit file to ask about. */
export class Unit {
  readonly name: string;
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly #keys: ReadonlyMap<string, readonly string[]>;

  constructor(name: string, { text, wantedBy, requiredBy }: World["units"][string]) {
    this.name = name;
    this.wantedBy = wantedBy;
    this.requiredBy = requiredBy;
    this.#keys = unitKeys(text);
  }

  /** The piece, going by the name of the unit. */
  get piece(): string {
    return this.name.replace(/^cc-ci-/, "").replace(/\.service$/, "");
  }

  values(key: string): readonly string[] {
    return this.#keys.get(key) ?? [];
  }

  words(key: string): readonly string[] {
    return this.values(key).flatMap((value) => value.split(" "));
  }

  keys(pattern: RegExp): readonly string[] {
    return [...this.#keys.keys()].filter((key) => pattern.test(key));
  }

  /** One line where the key does not have exactly these values. */
  differs(key: string, ...expected: readonly string[]): readonly string[] {
    const actual = this.values(key);
    return JSON.stringify(actual) === JSON.stringify(expected)
      ? []
      : [`${this.name}: ${key} is ${JSON.stringify(actual)}`];
  }

  /** One line for each key that is there and must not be. */
  has(pattern: RegExp): readonly string[] {
    return this.keys(pattern).map((key) => `${this.name}: has ${key}`);
  }
}

export function ours({ units }: World, suffix = ""): readonly Unit[] {
  return Object.entries(units)
    .filter(([name]) => name.startsWith("cc-ci") && name.endsWith(suffix))
    .map(([name, unit]) => new Unit(name, unit));
}

export function converging(world: World): readonly Unit[] {
  return ours(world, ".service").filter((unit) =>
    unit.values("Service.ExecStart").some((line) => line.includes(" apply ")),
  );
}

/** The states that the host can read, each with its unit. */
export function readable(world: World): readonly { unit: Unit; state: DesiredState }[] {
  return converging(world).flatMap((unit) => {
    const { success, data } = desiredStateSchema.safeParse(world.states[unit.piece]);
    return success ? [{ unit, state: data }] : [];
  });
}

type Kind = DesiredState["resources"][number]["kind"];

export function only<K extends Kind>(state: DesiredState, kind: K): readonly ResourceOf<K>[] {
  return state.resources.filter(
    (resource): resource is ResourceOf<K> & typeof resource => resource.kind === kind,
  );
}
