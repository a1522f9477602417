/** What `systemctl` is asked for the units that match, whatever they are at: about to start, at work, being ended. */
export function listOf(pattern: string): readonly string[] {
  return ["list-units", "--all", "--plain", "--no-legend", "--no-pager", "--", pattern];
}

/** The names in what it then prints. */
export function unitsIn(printed: string): readonly string[] {
  return printed.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
}
