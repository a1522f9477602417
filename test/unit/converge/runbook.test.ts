import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verbs } from "../../../services/converge/engine/call.ts";
import { runCatalogue } from "../run/catalogue.ts";
import { catalogue, everyLine } from "./catalogue.ts";

const root = join(import.meta.dirname, "../../..");
const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");

interface Section {
  readonly id: string;
  /** The line as it is quoted. */
  readonly quoted: string;
  /** What the runbook has to say of it. */
  readonly words: string;
}

/** One for each heading of a line; a heading that does not have the form has no quotation. */
function sections(): readonly Section[] {
  const parts = runbook.split(/^### (?=`)/m).slice(1);
  return parts.map((part) => {
    const id = /^`([^`]*)`/.exec(part)?.[1] ?? "";
    const match = /^`[^`]*`\n\n> (.*(?:\n> .*)*)\n\n([\s\S]*)/.exec(part);
    const [, quoted = "", rest = ""] = match ?? [];
    const words = rest.split(/^##/m)[0]?.trim() ?? "";
    return { id, quoted: quoted.replaceAll("\n> ", " "), words };
  });
}

/** What forges make of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}

/** Files of a program that declare lines, with how often they do. */
function declarations(program: string): Readonly<Record<string, number>> {
  const folder = join(root, "services", program);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const counted = files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      return [name, text.split("defineLines(").length - 1] as const;
    });
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

describe("the runbook", () => {
  test("has every line that a program of the host can print, word for word, and no other", () => {
    const quoted = sections().map(({ id, quoted }) => `${id}: ${quoted}`);
    const said = everyLine.map(([id, { as, says }]) => `${id}: ${as}: ${says}`);
    expect(quoted.toSorted()).toEqual(said.toSorted());
  });

  test("says of each what it means and what to do", () => {
    const short = sections().filter(({ words }) => words.split(/\s+/).length < 20);
    expect(short.map(({ id }) => id)).toEqual([]);
  });

  test("says nothing twice in the same words", () => {
    const all = sections().map(({ words }) => words);
    expect(all.filter((words, index) => all.indexOf(words) < index)).toEqual([]);
  });

  test("leads to headings that are there", () => {
    const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => anchorOf(text));
    const links = [...runbook.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = ""]) => anchor);
    expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
    expect(links.length).toBeGreaterThan(0);
  });

  test("has every call, with its meaning", () => {
    // The bridge has tables of its own, further down.
    const [converge = ""] = runbook.split("\n## Migrations\n");
    const rows = [...converge.matchAll(/^\| `([a-z]+ [a-z]+)` \| (.*) \|$/gm)];
    const documented = rows.map(([, verb, meaning]) => [verb, meaning]);
    expect(documented.toSorted()).toEqual(Object.entries(verbs).toSorted());
  });
});

describe("the catalogue of lines", () => {
  test.for([
    ["converge", catalogue],
    ["run", runCatalogue],
  ] as const)("misses no file of %s that declares some", ([program, lines]) => {
    const once = Object.keys(lines).map((file) => [file, 1]);
    expect(declarations(program)).toEqual(Object.fromEntries(once));
  });

  test("has each id once", () => {
    const ids = everyLine.map(([id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) < index)).toEqual([]);
  });

  test.each(everyLine)("%s says what is wrong, in one sentence without a full stop", (id, line) => {
    expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(line.says).toMatch(/[^.\s]$/);
    expect(line.says.length).toBeGreaterThan(15);
  });
});
