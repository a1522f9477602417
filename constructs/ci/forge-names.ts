/** Characters that Gitea and Forgejo take in the name of an account or an organisation; a recipe's has fewer than theirs. */
const mostCharacters = 40;

/** What may be called so, for errors. */
export const forgeNameRule = `up to ${mostCharacters} letters, digits, dots, dashes and underscores`;

/** Whether an account or an organisation can have this name on the forge. */
export function isForgeName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) && name.length <= mostCharacters;
}
