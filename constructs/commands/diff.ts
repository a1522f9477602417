import { type Impact, impactOf } from "../impact/impact.ts";
import { type Files, takeSnapshot } from "../impact/snapshot.ts";
import { impactMarkdown, impactText } from "../impact/words.ts";
import { changedSince, filesAt } from "./git.ts";
import type { CommandContext } from "./options.ts";
import { loadProject, type Project } from "./project.ts";
import { visible } from "./visible.ts";

/** Hand-written files that decide what a switch does, beside the generated ones. */
const handWritten = ["flake.nix", "flake.lock", "nix", "services"];

/** `diff`: says what the next switch does, compared with the disk or with a git ref. */
export async function diff(context: CommandContext): Promise<number> {
  const project = await loadProject(context, "once");
  const { against, json, markdown } = context.options;
  const flakeFiles = project.checkout.readSome(["flake.nix", "flake.lock"]);
  const after: Files = new Map([
    ...project.files.map(({ path, content }) => [path, content] as const),
    ...flakeFiles,
  ]);
  const before =
    against === undefined
      ? new Map([...project.checkout.readOut(), ...flakeFiles])
      : await filesAt(context.root, against, ["out", "flake.nix", "flake.lock"]);
  const [old, wanted] = [takeSnapshot(before), takeSnapshot(after)];
  const impact = impactOf(old, wanted);
  const notes = [
    ...nixpkgsNote(old.nixpkgs, wanted.nixpkgs),
    ...(against === undefined ? [diskNote] : await handWrittenNotes(context.root, against)),
    ...staleNote(project),
  ];
  process.stdout.write(`${print(impact, notes, json === true, markdown === true)}\n`);
  return 0;
}

function print(impact: Impact, notes: readonly string[], json: boolean, markdown: boolean): string {
  if (json) return JSON.stringify({ version: 1, ...impact, notes }, undefined, 2);
  return visible(markdown ? impactMarkdown(impact, notes) : impactText(impact, notes));
}

const diskNote =
  "compared with the files that lie here: for what is committed, '--against HEAD' or another ref";

function nixpkgsNote(before: string | undefined, after: string | undefined): readonly string[] {
  if (before === after) return [];
  return [
    `nixpkgs goes from ${before ?? "nothing"} to ${after ?? "nothing"}: any service of the host may restart`,
  ];
}

async function handWrittenNotes(root: string, against: string): Promise<readonly string[]> {
  const changed = await changedSince(root, against, handWritten);
  if (changed.length === 0) return [];
  return [`hand-written files differ too, and this does not read them: ${changed.join(", ")}`];
}

function staleNote({ checkout, files }: Project): readonly string[] {
  const count = checkout.compare(files).length;
  if (count === 0) return [];
  return [
    `${count} generated ${count === 1 ? "file is" : "files are"} not what the sources say yet: this tells what holds after 'npm run synth'`,
  ];
}
