import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { help } from "../../services/bridge/words/replies.ts";
import { bridgeScopes, hookEvents } from "../forge/recipes.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../synthesized.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "enroll-recipe.md"), "utf8");

test("docs/enroll-recipe.md has the commands that the bridge's own help has, word for word", () => {
  const rows = help.split("\n").filter((line) => line.startsWith("| `!"));
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) expect(page).toContain(row);
});

test("what it puts into cc-ci.yaml is one that synth takes", async () => {
  const [, example = ""] = /^```yaml\n(.*?)^```/ms.exec(page) ?? [];
  const yaml = `${droneYaml}\n${example.replaceAll(/^ {4}/gm, "")}`;
  const files = await synthesized(appOf(hostYaml(yaml)));
  expect(files.has("out/cc-ci/bridge.settings.json")).toBe(true);
});

test("it asks for the rights of a token that the tests of the bridge work with", () => {
  for (const scope of bridgeScopes) {
    const [right, name = ""] = scope.split(":");
    expect(page).toMatch(new RegExp(`\`${name}\`.*${right === "write" ? "Write" : "Read"}`));
  }
});

test("it names the events that the hook of the tests tells of, and its picture does", () => {
  // As the form of the forge has them.
  const labels = {
    pull_request_comment: "Pull Request Comment",
    pull_request_sync: "Pull Request Synchronized",
  } as const;
  const picture = readFileSync(join(docs, "pictures/webhook.svg"), "utf8");
  for (const event of hookEvents) {
    expect(page).toContain(`*${labels[event]}*`);
    expect(picture).toContain(`>${labels[event]}</text>`);
  }
});

test("its picture is there", () => {
  const pictures = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(pictures).toHaveLength(1);
  for (const path of pictures) expect(existsSync(join(docs, path))).toBe(true);
});
