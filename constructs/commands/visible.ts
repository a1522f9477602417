/**
 * The text with every control character but the line's end and the tab spelled out, as in `\u001b`:
 * names and values come from files that anybody may have sent, and a terminal obeys such characters.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /[^\P{Cc}\n\t]|[\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu,
    spelledOut,
  );
}

/** The same for text of one line: no line in it can pass for one of ours. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/[\n\t]/g, spelledOut);
}

function spelledOut(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
