import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Request, RequestOutcome } from "../../services/bridge/records/requests.ts";
import type { NearMiss } from "../../services/bridge/words/command.ts";
import {
  help,
  nearMiss,
  nothingToCancel,
  type Refusal,
  refusal,
} from "../../services/bridge/words/replies.ts";
import { state } from "../../services/bridge/words/state.ts";
import { bridgeScopes, hookEvents } from "../forge/recipes.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../synthesized.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "enroll-recipe.md"), "utf8");

test("docs/enroll-recipe.md has the commands that the bridge's own help has, word for word", () => {
  const rows = help.split("\n").filter((line) => line.startsWith("| `!"));
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) expect(page).toContain(row);
});

const head = "0".repeat(40);

/** One of each kind: what has none does not compile. */
const refusals: Readonly<Record<Refusal["why"], Refusal>> = {
  "not-a-member": { why: "not-a-member", organisation: "recipes" },
  "not-in-team": { why: "not-in-team" },
  late: { why: "late", minutes: 16 },
  closed: { why: "closed" },
  "other-branch": { why: "other-branch", into: "next", mainBranch: "main" },
  "other-head": { why: "other-head", head },
  pushed: { why: "pushed", head },
  fork: { why: "fork" },
  "fork-without-commit": { why: "fork-without-commit", head },
  "too-many-of-person": { why: "too-many-of-person", most: 10 },
  "too-many-of-pull": { why: "too-many-of-pull", most: 6 },
  "too-many-waiting": { why: "too-many-waiting", most: 20 },
  stopped: { why: "stopped", reason: "" },
  "goes-on": { why: "goes-on", head, link: undefined },
};

const misses: Readonly<Record<NearMiss, true>> = {
  ...{ word: true, option: true, "short-commit": true, several: true },
};

const outcomes: Readonly<Record<RequestOutcome, true>> = {
  ...{ passed: true, failed: true, cancelled: true, superseded: true },
  ...{ "timed-out": true, "not-reached": true, refused: true, broken: true },
};

test("it has a row for each way to say no, in the bridge's own words, and no other", () => {
  // given
  const section = page.split("### When the answer is no\n")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| \*(.+)\* \| \S/gm)].map(([, words = ""]) => words);
  const saysSo = (words: string, answer: string) => {
    let at = 0;
    return words.split("…").every((part) => {
      const found = answer.indexOf(part, at);
      at = found + part.length;
      return found >= 0;
    });
  };
  const answers = [
    ...Object.values(refusals).map(refusal),
    ...(Object.keys(misses) as NearMiss[]).map(nearMiss),
    nothingToCancel,
  ];
  // then
  for (const answer of answers) {
    expect([answer, rows.filter((words) => saysSo(words, answer)).length]).toEqual([answer, 1]);
  }
  expect(rows).toHaveLength(answers.length);
});

test("it has a row for each way in which a test ends, as the comment has it", () => {
  for (const outcome of Object.keys(outcomes) as RequestOutcome[]) {
    const ended = { outcome, begunAt: null, endedAt: null } as Request;
    expect(page).toContain(`| ${state(ended)} | `);
  }
});

test("what is read before a commit is compared with the last one: after synth the files are the same", () => {
  for (const name of ["enroll-recipe.md", "install.md", "runbook.md"]) {
    const paragraphs = readFileSync(join(docs, name), "utf8").split("\n\n");
    const wrong = paragraphs.filter((text) =>
      /`npm run synth`,? (?:and )?read `npm run diff`/.test(text.replaceAll(/\s+/g, " ")),
    );
    expect([name, wrong]).toEqual([name, []]);
  }
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
