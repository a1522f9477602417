import type { Construct } from "constructs";

/** Names of which a host has only one each: units, domains, networks. */
export class Claims {
  readonly #owners = new Map<string, Construct>();

  /**
   * Takes a name for a construct.
   * @param kind what it is a name of, in the words of an error: "the domain".
   * @param property the property of the construct that the error is about.
   */
  take(kind: string, name: string, owner: Construct, property: string): void {
    const key = `${kind} ${name}`;
    const other = this.#owners.get(key);
    if (other === undefined) this.#owners.set(key, owner);
    else {
      owner.node.addValidation({
        validate: () => [
          `${property}: ${kind} ${name} is taken by ${other.node.path} already: choose another`,
        ],
      });
    }
  }
}
