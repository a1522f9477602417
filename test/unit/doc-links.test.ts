import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("what the pages of docs say of each other leads to headings that are there", () => {
  const folder = join(import.meta.dirname, "../../docs");
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
  const texts = new Map(pages.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const lost = [...texts].flatMap(([name, text]) =>
    [...text.matchAll(/\]\(([a-z-]*(?:\.md)?)#([^)]+)\)/g)]
      .filter(([, to = "", anchor]) => {
        const headings = (texts.get(to === "" ? name : to) ?? "").matchAll(/^#+ (.+)$/gm);
        return ![...headings].some(([, heading = ""]) => anchorOf(heading) === anchor);
      })
      .map(([link]) => `${name}: ${link}`),
  );
  expect(lost).toEqual([]);
});

/** As forges make it of a heading. */
function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "");
  return plain.replaceAll(" ", "-");
}
