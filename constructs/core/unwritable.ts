/**
 * What no generated text may hold, in words; undefined when there is none of it in `text`. Nix has no
 * escape for control characters other than tab and line ends, NUL cuts its strings silently, and none
 * of them has a use in a unit or an environment.
 */
export function unwritablePart(text: string): string | undefined {
  const [character] = /[^\P{Cc}\t\n\r\u0080-\u009f]/u.exec(text) ?? [];
  if (character !== undefined) {
    return `the control character U+${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  }
  return text.isWellFormed() ? undefined : "half of a surrogate pair";
}
