import type { Difference, DifferenceState } from "../core/comparison.ts";
import { unifiedDiff } from "../core/unified-diff.ts";
import type { CommandContext } from "./options.ts";
import { loadProject } from "./project.ts";
import { visible, visibleLine } from "./visible.ts";

const meanings: Readonly<Record<DifferenceState, string>> = {
  missing: "is missing",
  stale: "is stale: the sources say something else by now",
  edited: "was edited by hand, or merged: change the sources instead",
  orphan: "is an orphan: the sources do not say it any more",
  foreign: "is an orphan that no synth wrote: move it out of out/",
};

/** `check`: exit 0 when the generated files are what the sources say, else 1 with the differences. */
export async function check(context: CommandContext): Promise<number> {
  const { checkout, files } = await loadProject(context, "again");
  const differences = checkout.compare(files);
  process.stdout.write(
    context.options.json ? asJson(differences) : asText(differences, files.length),
  );
  return differences.length === 0 ? 0 : 1;
}

function asText(differences: readonly Difference[], count: number): string {
  if (differences.length === 0) return `${count} generated files are what the sources say\n`;
  const parts = differences.map((difference) => {
    const diff = unifiedDiff(difference);
    // A pipe may lead to `git apply`, which wants the bytes; a person's terminal would obey them.
    const shown = process.stdout.isTTY ? visible(diff) : diff;
    return `${visibleLine(difference.path)} ${meanings[difference.state]}\n${shown}`;
  });
  const number = differences.length;
  const strangers = differences.every(({ state }) => state === "foreign");
  const remedy = strangers
    ? "synth leaves alone what it did not write"
    : "run 'npm run synth' and commit what it changes";
  return `${parts.join("\n")}\n${number} generated ${number === 1 ? "file differs" : "files differ"}: ${remedy}\n`;
}

function asJson(differences: readonly Difference[]): string {
  const entries = differences.map((difference) => ({
    path: difference.path,
    state: difference.state,
    diff: unifiedDiff(difference),
  }));
  return `${JSON.stringify({ ok: entries.length === 0, differences: entries }, undefined, 2)}\n`;
}
