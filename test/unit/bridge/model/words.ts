/** What a comment asks for, as who wrote it meant it. */
export type Asks =
  | { readonly for: "test"; readonly quick: boolean; readonly commit: string | null }
  | { readonly for: "cancel" | "status" | "help" }
  /** It is not quite a command. */
  | { readonly for: "near-miss" }
  | { readonly for: "nothing" };

export interface Words {
  readonly body: string;
  readonly asks: Asks;
}

/** What can be written, by what of the pull request has to be known for it. */
export type Kind =
  | ("test" | "quick" | "named" | "named-quick" | "wrong-name")
  | ("cancel" | "status" | "help" | "miss" | "talk" | "quote" | "code");

export const kinds: readonly Kind[] = [
  ...(["test", "test", "quick", "named", "named-quick", "wrong-name"] as const),
  ...(["cancel", "status", "help", "miss", "talk", "quote", "code"] as const),
];

/** @param head the newest commit there @param other one that is not */
export function wordsOf(kind: Kind, head: string, other: string): Words {
  const test = (body: string, quick: boolean, commit: string | null): Words => ({
    ...{ body, asks: { for: "test", quick, commit } },
  });
  const talk = (body: string): Words => ({ body, asks: { for: "nothing" } });
  switch (kind) {
    case "test":
      return test("!testme", false, null);
    case "quick":
      return test("Looks good.\n\n!testme --quick", true, null);
    case "named":
      return test(`!testme ${head}`, false, head);
    case "named-quick":
      return test(`!testme --quick ${head}`, true, head);
    case "wrong-name":
      return test(`!testme ${other}`, false, other);
    case "cancel":
    case "status":
    case "help":
      return { body: `!testme ${kind}`, asks: { for: kind } };
    case "miss":
      return { body: "!tetsme", asks: { for: "near-miss" } };
    case "talk":
      return talk("I would say !testme here once the others are happy with it");
    case "quote":
      return talk("> !testme\n\nWhy?");
    case "code":
      return talk("```\n!testme\n```");
  }
}
