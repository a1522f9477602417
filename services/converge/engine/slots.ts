import { defineLines } from "./line.ts";

export const slotLines = defineLines({
  "slot-unfilled": {
    as: "failed",
    says: "{where}: nothing fills the slot '{slot}': run 'npm run synth', commit out/ and switch again",
  },
});

/** In `.env` text. */
const marker = /@slot:([a-z][a-z0-9-]*)@/g;

/** Values that only Nix or only the host knows, by the name of their slot. */
export class Slots {
  readonly #values: Map<string, string>;

  constructor(given: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(given));
  }

  /** A later value takes the place of an earlier one: a run may look at the host twice. */
  fill(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** For what is known to be unknown again. */
  clear(name: string): void {
    this.#values.delete(name);
  }

  /** Undefined while what would fill the slot is not there yet. */
  find(value: string | { readonly slot: string }): string | undefined {
    return typeof value === "string" ? value : this.#values.get(value.slot);
  }

  /** @throws {Stop} when nothing fills it */
  get(value: string | { readonly slot: string }, where: string): string {
    const found = this.find(value);
    if (found !== undefined) return found;
    const slot = typeof value === "string" ? value : value.slot;
    throw slotLines.stop("slot-unfilled", { where, slot });
  }

  /** The text with its markers replaced; undefined while one of them is unknown. */
  findIn(text: string): string | undefined {
    const names = [...text.matchAll(marker)].map(([, name = ""]) => name);
    if (names.some((name) => !this.#values.has(name))) return undefined;
    return text.replaceAll(marker, (_, name: string) => this.#values.get(name) ?? "");
  }

  /** @throws {Stop} when nothing fills one of its markers */
  fillIn(text: string, where: string): string {
    return text.replaceAll(marker, (_, slot: string) => this.get({ slot }, where));
  }
}
