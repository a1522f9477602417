import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verbs } from "../../services/converge/engine/call.ts";
import { killedVerbs } from "../host/library/killed-verbs.ts";

const cases = join(import.meta.dirname, "../host/cases");

test("every verb is one at which a run is killed", () => {
  const killed = new Set(Object.values(killedVerbs).flat());
  expect([...killed].sort()).toEqual(Object.keys(verbs).sort());
});

test.each(Object.keys(killedVerbs))("%s compares with its list what it killed at", (file) => {
  const text = readFileSync(join(cases, `${file}.test.ts`), "utf8");
  expect(text).toContain(`expect(verbsOf(killed)).toEqual(killedVerbs["${file}"])`);
});
