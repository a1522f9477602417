/**
 * What was seen since the last call. Nothing of ours has changed the world since, and to look at it
 * again starts programs.
 */
export class Sights {
  readonly #seen = new Map<unknown, Promise<unknown>>();

  /** What `look` saw, which is called once for each thing. */
  async of<Sight>(thing: unknown, look: () => Promise<Sight>): Promise<Sight> {
    const seen = this.#seen.get(thing) ?? look();
    this.#seen.set(thing, seen);
    return (await seen) as Sight;
  }

  /** For a world that is another one now. */
  forget(): void {
    this.#seen.clear();
  }
}
