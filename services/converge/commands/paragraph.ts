/** Narrower ones are not reckoned with: the terminal breaks the lines then. */
const leastColumns = 40;

/** The width of the terminal that is written to; undefined for a pipe or a file, whose lines stay whole. */
export function terminalColumns(): number | undefined {
  const { isTTY, columns } = process.stdout;
  // A terminal without a size says 0.
  return isTTY && columns > 0 ? Math.max(leastColumns, columns) : undefined;
}

/**
 * Breaks a text between words where the terminal ends; a longer word stands on a line of its own.
 *
 * @param indent blanks before the first line
 * @param hang blanks before the others
 */
export function paragraph(
  text: string,
  { indent, hang, columns }: { indent: number; hang: number; columns: number | undefined },
): string {
  const lines: string[] = [];
  let line = " ".repeat(indent);
  let isEmpty = true;
  for (const word of text.split(" ")) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (isEmpty || columns === undefined || longer.length <= columns) line = longer;
    else {
      lines.push(line);
      line = " ".repeat(hang) + word;
    }
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}
