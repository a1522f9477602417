import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appOf } from "../synthesized.ts";
import { requireTool } from "../tools.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { everything, modulesIn, writeTree } from "./everything.ts";
import { exposureOf } from "./systemd-security.ts";

/**
 * The most that systemd may think of each service of ours, on its scale from 0 to 10, where a service without
 * a word of hardening has 9.6. All but the runner are root's, which alone is 0.4; what else is left is said here.
 */
const allowed: readonly (readonly [unit: RegExp, exposure: number, why: string])[] = [
  [
    /^cc-ci-run@\.service$/,
    2.4,
    "as cc-ci-runs; and looks whether a process of any user's lives that lets no run begin",
  ],
  [
    /^cc-ci-runs\.service$/,
    2.2,
    "works with Docker, and fetches from the network; runs Node, which makes code as it runs; removes what containers left under users of their own",
  ],
  [
    /^cc-ci-runner\.service$/,
    1.5,
    "is no root's; reaches this host's own addresses and sockets, and starts what makes code as it runs",
  ],
  [/^cc-ci-(?:reconcile|prune)\.service$/, 1.3, "does one thing, with Docker's socket alone"],
  [
    /^cc-ci-.*\.service$/,
    4.1,
    "reads files of other owners, fetches from the network, and runs abra and git, of which nobody knows every call that they make of the system",
  ],
];

let scratch = "";
let units: Evaluation["units"] = {};

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "cc-ci-security-"));
  await writeTree(scratch, appOf(everything));
  units = (await evaluate(modulesIn(scratch))).units;
});

afterAll(() => rmSync(scratch, { recursive: true }));

test("no service of ours is more exposed than it has to be", async (context) => {
  requireTool(context, "systemd-analyze");
  const own = Object.entries(units).filter(([name]) => /^cc-ci.*\.service$/.test(name));
  expect(own.length).toBeGreaterThan(8);
  const seen = await Promise.all(
    own.map(async ([name, { text }]) => ({ name, ...(await exposureOf(text)) })),
  );
  const worse = seen.filter(({ name, overall }) => {
    const [, limit = 0] = allowed.find(([pattern]) => pattern.test(name)) ?? [];
    return overall > limit;
  });
  expect(worse).toEqual([]);
});
