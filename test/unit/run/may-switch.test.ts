import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { harmToAny, harmToOld, waitForBuilds } from "../../../services/run/commands/may-switch.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A system with these files in its folder of units. */
function system(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "cc-ci-system-"));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "etc/systemd/system", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return root;
}

const usual = {
  "docker.service": "[Service]\nExecStart=/a\n",
  "docker.service.d/overrides.conf": "[Service]\nExecStartPre=/b\n",
  "docker.socket": "[Socket]\nListenStream=/c\n",
  "cc-ci-run@.service": "[Service]\nRuntimeMaxSec=60min\n",
};

const limit = (minutes: number) => `[Service]\nNice=1\nRuntimeMaxSec=${minutes}min\n`;
const now = new Date("2026-01-01T12:00:00.000Z");
const began = new Date("2026-01-01T11:31:00.000Z");
const restarts = "restarts Docker, and would end what runs";

test.for<[string, Readonly<Record<string, string>>, string | undefined]>([
  ["nothing changes", usual, undefined],
  ["another unit changes", { ...usual, "nginx.service": "[Service]\n" }, undefined],
  ["its unit changes", { ...usual, "docker.service": "[Service]\nExecStart=/b\n" }, restarts],
  ["what lies over it changes", { ...usual, "docker.service.d/overrides.conf": "" }, restarts],
  ["more lies over it", { ...usual, "docker.service.d/own.conf": "[Service]\nNice=1\n" }, restarts],
  ["its socket changes", { ...usual, "docker.socket": "[Socket]\n" }, restarts],
  ["it goes", { "docker.socket": usual["docker.socket"] }, restarts],
  ["it may take as long as it took", { ...usual, "cc-ci-run@.service": limit(30) }, undefined],
  [
    "it took longer than it is to be allowed",
    { ...usual, "cc-ci-run@.service": limit(29) },
    "lets no test take longer than 29 min, and would end what runs",
  ],
  ["what runs are made of changes", { ...usual, "cc-ci-run@.service": "[Service]\n" }, undefined],
  [
    "what runs are made of goes",
    { ...usual, "cc-ci-run@.service": "" },
    "takes the service of test runs away, and would end what runs",
  ],
])("what a switch does to runs: %s", async ([, after, harm]) => {
  const [old, fresh] = [system(usual), system(after)];
  expect((await harmToAny(old, fresh)) ?? (await harmToOld(fresh, [began], now))).toBe(harm);
});

test("a switch that brings Docker does nothing to runs", async () => {
  expect(await harmToAny(system({}), system(usual))).toBeUndefined();
});

test("a switch that takes the runner away would wait for its builds, and no other does", async () => {
  const drone = system({ ...usual, "cc-ci-runner.service": "[Service]\n" });
  const changed = system({ ...usual, "cc-ci-runner.service": "[Service]\nNice=1\n" });
  const without = system(usual);
  expect(await waitForBuilds(drone, without)).toMatch(/^takes the runner of builds away/);
  expect(await waitForBuilds(drone, changed)).toBeUndefined();
  expect(await waitForBuilds(without, drone)).toBeUndefined();
  expect(await waitForBuilds(without, without)).toBeUndefined();
  // It ends none, so runs are not held for it.
  expect(await harmToAny(drone, without)).toBeUndefined();
});
