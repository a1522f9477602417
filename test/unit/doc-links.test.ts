import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../docs");
const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
const texts = new Map(pages.map((name) => [name, readFileSync(join(folder, name), "utf8")]));

test("what the pages of docs say of each other leads to headings that are there", () => {
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

test("keys of Drone and of the bridge are named as configuration.md has them", () => {
  const sections = (texts.get("configuration.md") ?? "").split(/^## /m);
  const isKey = (path: string) => {
    const [key, ...around] = path.split(".").toReversed();
    const heading = `\`hosts.<name>.${around.toReversed().join(".")}\`\n`;
    return sections.some((text) => text.startsWith(heading) && text.includes(`\n| \`${key}\` |`));
  };
  const named = [...texts].flatMap(([name, text]) =>
    [...text.matchAll(/`((?:drone|bridge|runs)(?:\.[a-z][A-Za-z]+)+)`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !/\.(?:yml|env|json)$/.test(path))
      .map((path) => [name, path] as const),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(([, path]) => !isKey(path))).toEqual([]);
});

/** As forges make it of a heading. */
function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "");
  return plain.replaceAll(" ", "-");
}
