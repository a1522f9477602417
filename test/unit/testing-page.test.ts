import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { differences } from "../host/system/differences.ts";

test("docs/testing.md lists every difference between a host of the tests and NixOS, with its reason", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/testing.md"), "utf8");
  const listed = /## What differs from NixOS\n\n([\s\S]*?)\n\n/.exec(page)?.[1] ?? "";
  const items = listed.split(/^- /m).slice(1);
  expect(items.map((item) => item.replaceAll(/\s+/g, " ").trim())).toEqual(
    differences.map(({ what, why }) => `${what} *${why}*`),
  );
});
